// Real QEMU processes; the guest in them is a kernel of a few instructions. e2e/clone_test.cpp has real guests.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "common/process_watch.h"
#include "launcher-sim/guest.h"
#include "launcher-sim/guest_record.h"
#include "launcher-sim/template_keeper.h"
#include "launcher-sim/template_maker.h"
#include "launcher-sim/test_directory.h"
#include "launcher-sim/test_kernel.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr const char* kUid = "0e4b039f-eaea-4be4-8c97-93f935dd51b6";
constexpr const char* kKey = "0123456789abcdef0123456789abcdef";

struct Place {
  test::TestDirectory directory;
  QemuHost host;
  GuestSpec spec;
  std::string templates = directory / "templates";

  Place() {
    spec.vmi_namespace = "default";
    spec.name = "demo";
    spec.uid = kUid;
    spec.memory_mib = 64;
    spec.client_passthrough = true;
    host.kernel = directory / "kernel";
    host.initramfs = directory / "initramfs";
    test::write_speaking_kernel(host.kernel, "usbloop-guest: template\n");
    std::ofstream(host.initramfs) << "none";
  }
  ~Place() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // what was detached here is still our child
    }
  }
  [[nodiscard]] std::string guest_directory() const { return directory / kUid; }
  [[nodiscard]] TemplateStore store() const {
    auto store = TemplateStore::open(templates);
    REQUIRE(store);
    return std::move(*store);
  }
};

/// Processes that work in the directory, or in one that was there.
int processes_in(const fs::path& directory) {
  int count = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string cwd = fs::read_symlink(entry.path() / "cwd", code);
    if (!code && cwd.starts_with(directory.string() + "/")) ++count;
  }
  return count;
}

/// A token that is stopped after the time.
class StopAfter {
 public:
  explicit StopAfter(std::chrono::milliseconds time)
      : thread_([this, time] {
          std::this_thread::sleep_for(time);
          source_.request_stop();
        }) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread thread_;
};

GuestTemplate make_one(Place& place, TemplateStore& store) {
  auto draft = store.begin(kKey, {});
  REQUIRE(draft);
  const auto state = make_template(place.spec, place.host, *draft, {});
  REQUIRE_MESSAGE(state, state.error().message());
  REQUIRE(store.keep(std::move(*draft), *state));
  auto found = store.find(kKey);
  REQUIRE(found);
  return *found;
}

/// What the keeper says in the end, when it no longer says "soon".
TemplateAnswer ask_to_the_end(TemplateKeeper& keeper, const GuestSpec& spec) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  TemplateAnswer answer = keeper.ask(spec);
  while (answer.kind == TemplateAnswer::Kind::soon && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(5ms);  // polls a condition with a deadline
    answer = keeper.ask(spec);
  }
  return answer;
}

}  // namespace

TEST_CASE("a template is the memory and the devices' state of a machine that has ended") {
  Place place;
  TemplateStore store = place.store();
  const GuestTemplate made = make_one(place, store);
  CHECK(made.state.size() > 10'000);
  CHECK(fs::file_size(made.memory_file) == 64 * 1024 * 1024);
  CHECK(processes_in(place.directory.path()) == 0);
}

TEST_CASE("a machine that becomes no template says why, and leaves nothing") {
  Place place;
  TemplateStore store = place.store();
  {
    auto draft = store.begin(kKey, {});
    REQUIRE(draft);
    SUBCASE("its guest knows no templates") {
      test::write_speaking_kernel(place.host.kernel, "usbloop-guest: ready\n");
      CHECK(make_template(place.spec, place.host, *draft, {}).error().kind == ErrorKind::conflict);
    }
    SUBCASE("it cannot start") {
      place.host.kernel = "/no/such/kernel";
      const auto made = make_template(place.spec, place.host, *draft, {});
      CHECK_MESSAGE(made.error().cause.find("/no/such/kernel") != std::string::npos, made.error().message());
    }
    SUBCASE("there is no QEMU") {
      place.host.qemu = "/no/such/qemu";
      CHECK(make_template(place.spec, place.host, *draft, {}).error().kind == ErrorKind::not_found);
    }
    SUBCASE("we are to stop") {
      test::write_halting_kernel(place.host.kernel, true);
      const StopAfter stop(300ms);
      const auto began = std::chrono::steady_clock::now();
      CHECK(make_template(place.spec, place.host, *draft, stop.token()).error().kind == ErrorKind::cancelled);
      CHECK(std::chrono::steady_clock::now() - began < 5s);
    }
  }
  CHECK(processes_in(place.directory.path()) == 0);
  CHECK(fs::is_empty(place.templates));
}

TEST_CASE("a clone that does not come to life is no guest, and leaves nothing") {
  Place place;
  TemplateStore store = place.store();
  GuestTemplate from = make_one(place, store);
  SUBCASE("the state is another machine's") {
    place.spec.graphics = false;
    const auto cloned = Guest::clone(place.spec, place.host, place.guest_directory(), from, {});
    REQUIRE_FALSE(cloned);
    // With QEMU's own words.
    CHECK_MESSAGE(cloned.error().message().find("migration failed") != std::string::npos, cloned.error().message());
  }
  SUBCASE("the state is cut off") {
    from.state.resize(from.state.size() / 2);
    CHECK_FALSE(Guest::clone(place.spec, place.host, place.guest_directory(), from, {}));
  }
  SUBCASE("the memory is gone") {
    fs::remove_all(place.templates);
    CHECK_FALSE(Guest::clone(place.spec, place.host, place.guest_directory(), from, {}));
  }
  SUBCASE("the guest does not answer, and we are to stop") {
    const StopAfter stop(1s);
    const auto cloned = Guest::clone(place.spec, place.host, place.guest_directory(), from, stop.token());
    REQUIRE_FALSE(cloned);
    CHECK(cloned.error().kind == ErrorKind::cancelled);
  }
  CHECK_FALSE(fs::exists(place.guest_directory()));
  CHECK(processes_in(place.directory.path()) == 0);
  // It may be booted then.
  const auto booted = Guest::start(place.spec, place.host, place.guest_directory());
  REQUIRE(booted);
  CHECK_FALSE((*booted)->observe().cloned);
  (*booted)->kill_and_wait(5s);
}

TEST_CASE("a clone whose launcher died before it was whole is ended and removed") {
  Place place;
  auto guest = Guest::start(place.spec, place.host, place.guest_directory());
  REQUIRE(guest);
  const auto pidfd = open_pidfd((*guest)->pid());
  REQUIRE(pidfd);
  guest->reset();
  auto record = read_record(place.guest_directory());
  REQUIRE(record);
  record->clone = CloneState::being_made;
  SUBCASE("when it had written everything") {}
  SUBCASE("before it wrote the start time") { record->start_time.reset(); }
  REQUIRE(write_record(place.guest_directory(), *record));
  CHECK(Guest::adopt(place.guest_directory()).error().kind == ErrorKind::not_found);
  CHECK(wait_pidfd(pidfd->get(), 5s));
  CHECK_FALSE(fs::exists(place.guest_directory()));
}

TEST_CASE("a clone that is whole is taken over as one") {
  Place place;
  auto guest = Guest::start(place.spec, place.host, place.guest_directory());
  REQUIRE(guest);
  auto record = read_record(place.guest_directory());
  REQUIRE(record);
  CHECK_FALSE(record->clone);
  record->clone = CloneState::done;
  REQUIRE(write_record(place.guest_directory(), *record));
  const auto adopted = Guest::adopt(place.guest_directory());
  REQUIRE(adopted);
  CHECK((*adopted)->observe().cloned);
  CHECK((*adopted)->pid() == (*guest)->pid());
  (*guest)->kill_and_wait(5s);
}

TEST_CASE("the keeper makes the template that guests wait for, and finds it from then on") {
  Place place;
  TemplateKeeper keeper(place.store(), place.host);
  keeper.prepare(place.spec);
  const TemplateAnswer answer = ask_to_the_end(keeper, place.spec);
  REQUIRE(answer.kind == TemplateAnswer::Kind::ready);
  CHECK(answer.found);
  CHECK(keeper.ask(place.spec).kind == TemplateAnswer::Kind::ready);
  // One that a guest could not be made of goes, and is not made again at once.
  keeper.distrust(answer.key, {ErrorKind::timeout, "load", "a template", "QEMU is slow"});
  CHECK(keeper.ask(place.spec).kind == TemplateAnswer::Kind::boot);
  CHECK(fs::exists(place.templates + "/" + answer.key));
  keeper.distrust(answer.key, {ErrorKind::conflict, "load", "a template", "it is another machine's"});
  const TemplateAnswer after = keeper.ask(place.spec);
  CHECK(after.kind == TemplateAnswer::Kind::boot);
  CHECK_FALSE(after.why.empty());
  CHECK_FALSE(fs::exists(place.templates + "/" + answer.key));
}

TEST_CASE("the first guest of a shape that nobody prepared is booted, and the next one finds its template") {
  Place place;
  TemplateKeeper keeper(place.store(), place.host);
  CHECK(keeper.ask(place.spec).kind == TemplateAnswer::Kind::boot);
  CHECK(ask_to_the_end(keeper, place.spec).kind == TemplateAnswer::Kind::ready);
}

TEST_CASE("two launchers make a template once") {
  Place place;
  TemplateKeeper one(place.store(), place.host);
  TemplateKeeper other(place.store(), place.host);
  one.prepare(place.spec);
  other.prepare(place.spec);
  const TemplateAnswer first = ask_to_the_end(one, place.spec);
  const TemplateAnswer second = ask_to_the_end(other, place.spec);
  REQUIRE(first.found);
  REQUIRE(second.found);
  CHECK(first.found->state == second.found->state);
}

TEST_CASE("where no template can be made, guests are booted, and the keeper can be stopped at any time") {
  Place place;
  SUBCASE("the guest knows no templates") {
    test::write_speaking_kernel(place.host.kernel, "usbloop-guest: ready\n");
    TemplateKeeper keeper(place.store(), place.host);
    keeper.prepare(place.spec);
    const TemplateAnswer answer = ask_to_the_end(keeper, place.spec);
    CHECK(answer.kind == TemplateAnswer::Kind::boot);
    CHECK_FALSE(answer.why.empty());
  }
  SUBCASE("it is being made when the launcher ends") {
    test::write_halting_kernel(place.host.kernel, true);
    const auto began = std::chrono::steady_clock::now();
    TemplateKeeper keeper(place.store(), place.host);
    keeper.prepare(place.spec);
    while (fs::is_empty(place.templates)) std::this_thread::sleep_for(5ms);  // polls: the draft comes
    keeper.stop();
    CHECK(keeper.ask(place.spec).kind == TemplateAnswer::Kind::boot);
    CHECK(std::chrono::steady_clock::now() - began < 10s);
  }
  CHECK(fs::is_empty(place.templates));
  CHECK(processes_in(place.directory.path()) == 0);
}
