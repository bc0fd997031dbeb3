// What is wrong with the device, on this machine.
#include "e2e/errors/desk.h"
#include "e2e/harness/image.h"

namespace usbloop::e2e {
namespace {

/// The client opens the slot before it takes the device: only then it can be refused.
Outcome busy(Desk& desk) {
  Process client = desk.start_local({"--kubeconfig", desk.loop().kubeconfig(), "1-3", "demo"}, "busy");
  const RawWebsocket slot = desk.node().accept_websocket();
  return Desk::end(client);
}

/// The rules of the configuration file hold for this call alone.
Outcome configured(Desk& desk, const std::string& text, std::vector<std::string> arguments) {
  const auto folder = desk.home() / ".config/usbloop";
  std::filesystem::create_directories(folder);
  write_file(folder / "usbredir.conf", text);
  const Outcome outcome = desk.local(std::move(arguments));
  std::filesystem::remove(folder / "usbredir.conf");
  return outcome;
}

}  // namespace

void add_device_situations(Situations& all) {
  all["the device is not plugged in"] = [](Desk& desk) { return desk.local({"dead:beef", "demo"}); };
  all["nothing is plugged in but hubs"] = [](Desk& desk) { return desk.local({"dead:beef", "demo"}, "", true); };
  all["several devices fit"] = [](Desk& desk) { return desk.local({"0951:1666", "demo"}); };
  all["it is a hub"] = [](Desk& desk) { return desk.local({"port=1-4", "demo"}); };
  all["it is a keyboard"] = [](Desk& desk) { return desk.local({"1-6", "demo"}); };
  all["a rule of --filter refuses it"] = [](Desk& desk) {
    return desk.local({"--filter", "0x08,-1,-1,-1,0|-1,-1,-1,-1,1", "1-3", "demo"});
  };
  all["a rule of the configuration file refuses it"] = [](Desk& desk) {
    return configured(desk, "filter = 0x08,-1,-1,-1,0|-1,-1,-1,-1,1\n", {"1-3", "demo"});
  };
  all["the configuration file cannot be understood"] = [](Desk& desk) {
    return configured(desk, "# mine\nfliter = none\n", {"1-3", "demo"});
  };
  all["one device is named twice"] = [](Desk& desk) { return desk.local({"1-3", "port=1-1", "demo"}); };
  all["no permission"] = [](Desk& desk) { return desk.local({"1-3", "demo"}, "denied"); };
  all["it has gone between the list and the opening"] = [](Desk& desk) { return desk.local({"1-3", "demo"}, "gone"); };
  all["another program uses it"] = busy;
  all["--transport uas for what is no stick"] = [](Desk& desk) {
    return desk.local({"--transport", "uas", "--force", "1-6", "demo"});
  };
  all["the image of an emulated stick is missing"] = [](Desk& desk) {
    return desk.plain({"--emulate", "stick,image=" + (desk.dir().path() / "none.img").string(), "demo"});
  };
  all["the image of an emulated stick is in use"] = [](Desk& desk) {
    const std::string spec = "stick,image=" + desk.file("one.img", std::string(1 << 20, 'x'));
    return desk.plain({"--emulate", spec, "--emulate", spec, "demo"});
  };
  all["the library of emulated networks is missing"] = [](Desk& desk) {
    // Another file of its name comes first.
    const auto folder = desk.dir().subdir("libraries");
    write_file(folder / "libslirp.so.0", "no library");
    return desk.plain({"--emulate", "network", "demo"}, {{"LD_LIBRARY_PATH", folder.string()}});
  };
  all["the library of emulated smart cards is missing"] = [](Desk& desk) {
    const auto folder = desk.dir().subdir("libraries");
    for (const char* file : {"libcacard.so.0", "cert9.db", "key4.db"}) write_file(folder / file, "nothing");
    return desk.plain({"--emulate", "smart-card,certs=demo,db=" + folder.string(), "demo"},
                      {{"LD_LIBRARY_PATH", folder.string()}});
  };
}

}  // namespace usbloop::e2e
