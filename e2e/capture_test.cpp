// The traffic of a stick in a real guest, as the client's --capture writes it and as tshark reads it.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"
#include "usbredir/capture/reader.h"
#include "usbredir/capture/tshark.h"

using namespace usbloop::e2e;
using namespace usbloop;
using capture::Urb;
using testing::contains;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

struct Desk : GuestScene {
  fs::path image = dir.path() / "stick.img";
  std::string sha = make_random_image(image, 8 * kMiB, 5);

  /// A client with its device in the guest; never as a UAS disk, however slowly a busy machine answers.
  e2e::Process redirect(const std::string& name, const std::vector<std::string>& more,
                        const std::string& kind = "stick") {
    std::vector<std::string> arguments = {
        "--kubeconfig", loop.kubeconfig(), "--emulate", kind + ",image=" + image.string(),
        "--transport",  "bulk-only",       "demo"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto client = start_client(dir, name, arguments);
    client.wait_err("Redirecting", 20s);
    return client;
  }
};

std::vector<Urb> urbs_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  capture::CaptureReader reader(in);
  std::vector<Urb> urbs;
  while (true) {
    auto record = reader.next();
    REQUIRE_MESSAGE(record, record.error().message());
    if (!*record) return urbs;
    urbs.push_back(std::move((*record)->urb));
  }
}

/// What bulk transfers brought from the device, one after the other, without the statuses between them.
std::string bulk_input(const std::vector<Urb>& urbs) {
  std::string all;
  for (const Urb& urb : urbs) {
    if (urb.type != usbredir::TransferType::bulk || !urb.is_in() || urb.event != capture::Event::complete) continue;
    constexpr std::size_t kStatus = 13;
    if (urb.data.size() == kStatus) continue;
    all.append(reinterpret_cast<const char*>(urb.data.data()), urb.data.size());
  }
  return all;
}

void interrupt(e2e::Process& client) {
  client.signal(SIGINT);
  const auto status = client.wait_exit(10s);
  CHECK_MESSAGE(status.success(), client.output());
}

}  // namespace

TEST_CASE("tshark decodes what a guest does with a stick: commands, data, status") {
  capture::test::need_tshark();
  Desk desk;
  const fs::path file = desk.dir.path() / "stick.pcapng";
  auto client = desk.redirect("client", {"--capture", file});
  const std::string disk = wait_disk(desk.guest, "1-1");
  CHECK(guest_sha256(desk.guest, disk, 8 * kMiB) == desk.sha);
  desk.guest.must_run("printf usbloop | dd of=/dev/" + disk + " bs=512 seek=6000 conv=notrunc && sync");
  interrupt(client);
  const auto count = [&](const std::string& filter) { return capture::test::count_records(file, filter); };
  CHECK(count("_ws.malformed") == 0);
  CHECK(count("_ws.expert.severity >= 0x600000") == 0);
  const std::size_t reads = count("scsi_sbc.opcode == 0x28 && usbms.dCBWSignature");
  CHECK(reads >= 8 * kMiB / (120 * 1024));
  CHECK(count("scsi_sbc.opcode == 0x2a && usbms.dCBWSignature") >= 1);
  CHECK(count("scsi.inquiry.vendor_id") >= 1);
  CHECK(count("usbms.dCSWSignature && scsi.status == 0 && usbms.dCSWStatus == 0") >= reads);
  CHECK(count("usb.idVendor == 0x0951 && usb.idProduct == 0x1666") >= 1);
  const std::size_t begun = count("usb.urb_type == 'S'");
  CHECK(begun == count("usb.urb_type == 'C'"));
  CHECK(count("usb.request_in || usb.response_in") == 2 * begun);
  CHECK(count("frame.time_delta < 0") == 0);
  // The bytes are those of the stick.
  const auto urbs = urbs_of(file);
  CHECK(contains(bulk_input(urbs), random_bytes(8 * kMiB, 5).substr(kMiB, 64 * 1024)));
}

TEST_CASE("a capture that can't be written on, or whose client is killed, can be read, and the guest notices nothing") {
  Desk desk;
  const fs::path file = desk.dir.path() / "full.pcapng";
  {
    auto client = desk.redirect("client-full", {"--capture", file});
    const std::string disk = wait_disk(desk.guest, "1-1");
    // From here on its files may not grow beyond 2 MiB; the stick's image is only read.
    const rlimit limit{2 * kMiB, RLIM_INFINITY};
    REQUIRE(::prlimit(client.pid(), RLIMIT_FSIZE, &limit, nullptr) == 0);
    CHECK(guest_sha256(desk.guest, disk, 8 * kMiB) == desk.sha);
    client.wait_err("cannot write " + file.string() + ": File too large", 5s);
    client.wait_err("the redirection goes on", 5s);
    interrupt(client);
    CHECK_MESSAGE(contains(client.err(), "records are not in the capture"), client.err());
    CHECK(fs::file_size(file) <= 2 * kMiB);
    CHECK(urbs_of(file).size() > 20);
  }
  const fs::path killed = desk.dir.path() / "killed.pcapng";
  auto client = desk.redirect("client-killed", {"--capture", killed, "-vv"});
  const std::string disk = wait_disk(desk.guest, "1-1");
  CHECK(guest_sha256(desk.guest, disk, 8 * kMiB) == desk.sha);
  client.kill_hard();
  CHECK(contains(client.err(), "usb: guest: control IN 0x80 #"));
  CHECK(contains(client.err(), ": SCSI READ(10), block 0, "));
  // All but what was on its way to the disk is there: at least all that the guest saw before its last second.
  CHECK(bulk_input(urbs_of(killed)).size() > 7 * kMiB);
}

TEST_CASE("tshark takes no offence at a UAS disk with its bulk streams") {
  capture::test::need_tshark();
  Desk desk;
  const fs::path file = desk.dir.path() / "ssd.pcapng";
  auto client = desk.redirect("client", {"--capture", file}, "ssd");
  const std::string disk = wait_disk(desk.guest, "2-1");
  CHECK(guest_sha256(desk.guest, disk, 8 * kMiB) == desk.sha);
  interrupt(client);
  const auto count = [&](const std::string& filter) { return capture::test::count_records(file, filter); };
  CHECK(count("_ws.malformed") == 0);
  const std::size_t begun = count("usb.urb_type == 'S'");
  CHECK(begun == count("usb.urb_type == 'C'"));
  // tshark knows nothing of UAS; which stream a transfer is of stands in its comment.
  const auto urbs = urbs_of(file);
  CHECK(std::any_of(urbs.begin(), urbs.end(), [](const Urb& urb) { return contains(urb.comment, "stream 1"); }));
  CHECK(bulk_input(urbs).size() > 8 * kMiB);
}
