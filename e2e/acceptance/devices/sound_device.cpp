// QEMU's sound device: the loudspeaker here gets what the guest plays, by isochronous transfers.
#include "e2e/acceptance/devices/device.h"
#include "e2e/acceptance/devices/tty.h"
#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

/// /dev/dsp takes 8,000 samples of one unsigned byte a second: this is half a second of loudest plus, then of minus.
constexpr int kSamplesEach = 4000;
/// Half of it must arrive, at 44,100 samples a second and two channels: isochronous transfers are not repeated, and a
/// busy machine is too late for some.
constexpr int kHeardAtLeast = kSamplesEach * 44100 / 8000 * 2 / 2;
constexpr int kLoud = 8000;

class SoundDevice : public Device {
 public:
  std::vector<std::string> backend(const std::filesystem::path& dir) override {
    heard_ = dir / "heard.wav";
    return {"-audiodev", "wav,id=loudspeaker,path=" + heard_.string()};
  }

  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    machine.plug("usb-audio,audiodev=loudspeaker," + port, id);
  }

  void exchange(ClientMachine&, const GuestPort& port, int) override {
    const std::string card = port.wait_path(port.name + ":*/sound/card*");
    port.console.must_run("modprobe snd_pcm_oss");
    wait_until("the guest's /dev/dsp", 20s, [&] { return port.console.run("[ -c /dev/dsp ]").status == 0; });
    const auto before = count();
    const std::string half = "head -c " + std::to_string(kSamplesEach) + " /dev/zero | tr '\\0' ";
    port.console.must_run("{ " + half + "'\\377'; " + half + "'\\001'; } >/dev/dsp", 60s);
    const bool heard = holds_within(30s, [&] {
      const auto now = count();
      return now.plus - before.plus >= kHeardAtLeast && now.minus - before.minus >= kHeardAtLeast;
    });
    if (heard) return;
    const auto now = count();
    throw Failure("of what the guest played arrived " + std::to_string(now.plus - before.plus) + " and " +
                  std::to_string(now.minus - before.minus) + " samples");
  }

 private:
  struct Samples {
    int plus = 0;
    int minus = 0;
  };

  /// The loud samples of 16 bits behind the file's header.
  [[nodiscard]] Samples count() const {
    constexpr std::size_t kWaveHeader = 44;
    const std::string wave = read_file(heard_);
    Samples samples;
    for (std::size_t at = kWaveHeader; at + 2 <= wave.size(); at += 2) {
      const auto sample = static_cast<std::int16_t>(number_at(wave, at, 2));
      if (sample > kLoud) ++samples.plus;
      if (sample < -kLoud) ++samples.minus;
    }
    return samples;
  }

  std::filesystem::path heard_;
};

}  // namespace

DevicePtr make_sound_device() { return std::make_unique<SoundDevice>(); }

}  // namespace usbloop::e2e
