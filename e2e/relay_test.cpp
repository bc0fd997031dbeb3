// The truth table of a session over the programs, for both ways that its bytes can go on the near node: who ends first,
// and what the other side and the slot see of it. The harness plays the client and QEMU; the API server and the node's
// channel are real.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <csignal>
#include <future>

#include "e2e/harness/failure.h"
#include "e2e/harness/fake_node.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/slot_node.h"
#include "e2e/harness/usbredir_bytes.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;

namespace {

constexpr std::size_t kMiB = 1 << 20;

struct Road {
  CaseDir dir;
  Loop loop{dir, {.nodes = {}, .apiserver_options = {"--ping-interval", "1", "--peer-timeout", "2"}}};
  SlotNode node;
  explicit Road(Way way) : node(loop, way) {}
};

/// The client's and QEMU's end of an open session.
struct Session {
  RawWebsocket client;
  std::unique_ptr<PlainSocket> qemu;
  Session(Road& road, int slot) : client(road.node.open()), qemu(road.node.accept(slot)) {}
};

/// A good stream of a client that is as long as told, give or take a packet.
std::string client_stream(std::size_t size) {
  std::string stream = qemu_hello();
  const std::string packet = bulk_answer(random_bytes(60'000, 7));
  while (stream.size() < size) stream += packet;
  return stream;
}

std::string receive_exactly(PlainSocket& socket, std::size_t size) {
  std::string all;
  while (all.size() < size && socket.receive(all, 20s)) {
  }
  return all;
}

/// QEMU's end has ended; what came before that.
std::string rest_of(PlainSocket& socket) { return socket.receive_to_end(5s); }

/// The slot can be had again, at the latest when the node has heard of the end.
void check_free(Road& road, int slot) {
  CHECK(holds_within(5s, [&] {
    try {
      const auto next = road.node.open();  // 503 while all four are taken
      static_cast<void>(road.node.accept(slot, 100ms));
      return true;
    } catch (const Failure&) {
      return false;
    }
  }));
}

template <typename Case>
void both_ways(Case run) {
  for (const Way way : {Way::handoff, Way::plain}) {
    CAPTURE(name_of(way));
    run(way);
  }
}

}  // namespace

TEST_CASE("bytes go both ways at once, unchanged, whatever the size of frames and reads") {
  both_ways([](Way way) {
    Road road(way);
    Session session(road, 0);
    const std::string up = client_stream(4 * kMiB);
    const std::string down = random_bytes(4 * kMiB, 3);
    auto at_qemu = std::async(std::launch::async, [&] { return receive_exactly(*session.qemu, up.size()); });
    auto from_qemu = std::async(std::launch::async, [&] { return session.qemu->send(down, 20s, nullptr); });
    std::size_t size = 1;
    for (std::size_t at = 0; at < up.size(); at += size, size = size * 3 % 100'003 + 1) {
      if (!session.client.send({.payload = up.substr(at, size)})) break;
    }
    CHECK(at_qemu.get() == up);
    CHECK(session.client.receive_payload(down.size(), 20s) == down);
    CHECK(from_qemu.get());
  });
}

TEST_CASE("when QEMU ends, its last bytes reach the client, and then the end without a Close frame") {
  both_ways([](Way way) {
    Road road(way);
    Session session(road, 0);
    const std::string last = random_bytes(100'000, 4);
    CHECK(session.qemu->send(last));
    SUBCASE("closed") { session.qemu->close(); }
    SUBCASE("half closed") { ::shutdown(session.qemu->fd(), SHUT_WR); }
    CHECK(session.client.receive_payload(last.size(), 10s) == last);
    CHECK_FALSE(session.client.receive(5s).has_value());
    check_free(road, 0);
  });
}

TEST_CASE("however the client ends, QEMU gets its last bytes and the end, and the slot is free") {
  for (int end = 0; end < 4; ++end) {
    both_ways([end](Way way) {
      CAPTURE(end);
      Road road(way);
      const std::string stream = client_stream(100'000);
      std::unique_ptr<PlainSocket> qemu;
      {
        Session session(road, 0);
        CHECK(session.client.send({.payload = stream}));
        auto& wire = dynamic_cast<TlsSocket&>(session.client.wire());
        if (end == 0) CHECK(session.client.send({.opcode = 8, .payload = close_payload(1000)}));
        if (end == 1) wire.shutdown_write();
        if (end == 2) CHECK(session.client.send({.payload = std::string(10, 'x'), .claimed_length = 500}));
        if (end != 2) CHECK(receive_exactly(*session.qemu, stream.size()) == stream);
        if (end == 0) {
          const auto close = session.client.receive_close(5s);
          CHECK((close && close_code(*close) == 1000));
        }
        if (end <= 1) CHECK(rest_of(*session.qemu).empty());
        qemu = std::move(session.qemu);
      }  // closes the connection: in the middle of a frame, or with nothing said
      if (end == 3) CHECK(rest_of(*qemu).empty());
      if (end == 2) CHECK(rest_of(*qemu).starts_with(stream));
      check_free(road, 0);
    });
  }
}

TEST_CASE("frames that break the protocol are answered with 1002, a stream that is no usbredir with 1008") {
  both_ways([](Way way) {
    Road road(way);
    for (const auto& [frame, code] :
         std::initializer_list<std::pair<Frame, int>>{{{.payload = "unmasked", .masked = false}, 1002},
                                                      {{.opcode = 3, .payload = "unknown opcode"}, 1002},
                                                      {{.payload = random_bytes(1 << 20, 9)}, 1008},
                                                      {{.payload = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, 1008}}) {
      CAPTURE(code);
      Session session(road, 0);
      static_cast<void>(session.client.send(frame));
      const auto close = session.client.receive_close(5s);
      REQUIRE(close);
      CHECK(close_code(*close) == code);
      CHECK(rest_of(*session.qemu).empty());
      CHECK_NOTHROW(session.client.wire().receive_to_end(5s));
      check_free(road, 0);
    }
  });
}

TEST_CASE("one message of 64 MiB passes, and no program holds more of it than its buffers") {
  both_ways([](Way way) {
    Road road(way);
    // Made before the session begins: a client that is silent for long is gone.
    const std::string stream = client_stream(64 * kMiB);
    const std::string frame = encode({.payload = stream});
    const std::uint64_t before = peak_resident_kib(road.loop.apiserver().pid());
    Session session(road, 0);
    auto at_qemu = std::async(std::launch::async, [&] { return receive_exactly(*session.qemu, stream.size()); });
    CHECK(session.client.wire().send(frame, 60s, nullptr));
    CHECK((at_qemu.get() == stream));
    CHECK(peak_resident_kib(road.loop.apiserver().pid()) < before + 4 * 1024);
    CHECK(peak_resident_kib(road.node.process().pid()) < 32 * 1024);
  });
}

namespace {

/// A session that both ends write to and neither reads.
struct Stalled {
  Road road;
  std::uint64_t api_before = resident_kib(road.loop.apiserver().pid());
  std::uint64_t node_before = resident_kib(road.node.process().pid());
  Session session{road, 0};
  std::size_t up_sent = 0;
  std::size_t down_sent = 0;
  std::future<bool> up_done;
  std::future<bool> down_done;

  /// Each writer goes on until nothing was taken from it for `patience`.
  Stalled(Way way, const std::string& up, const std::string& down, milliseconds patience)
      : road(way),
        up_done(std::async(std::launch::async,
                           [&, patience] { return session.client.wire().send(up, patience, &up_sent); })),
        down_done(
            std::async(std::launch::async, [&, patience] { return session.qemu->send(down, patience, &down_sent); })) {}
};

}  // namespace

TEST_CASE("a reader that stops for half a minute holds the writer up, in bounded memory, and then every byte comes") {
  const std::string up = client_stream(32 * kMiB);
  const std::string frame = encode({.payload = up});
  const std::string down = random_bytes(32 * kMiB, 5);
  Stalled handoff(Way::handoff, frame, down, 30s);
  Stalled plain(Way::plain, frame, down, 30s);
  for (Stalled* stalled : {&handoff, &plain}) {
    CAPTURE(name_of(stalled == &handoff ? Way::handoff : Way::plain));
    CHECK_FALSE(stalled->up_done.get());
    CHECK_FALSE(stalled->down_done.get());
    const std::size_t up_sent = stalled->up_sent;
    const std::size_t down_sent = stalled->down_sent;
    CHECK_MESSAGE(up_sent < 16 * kMiB, up_sent << " bytes were taken though nobody read them");
    CHECK_MESSAGE(down_sent < 16 * kMiB, down_sent << " bytes were taken though nobody read them");
    CHECK(resident_kib(stalled->road.loop.apiserver().pid()) < stalled->api_before + 2 * 1024);
    CHECK(resident_kib(stalled->road.node.process().pid()) < stalled->node_before + 2 * 1024);
    Session& session = stalled->session;
    auto at_qemu = std::async(std::launch::async, [&] { return receive_exactly(*session.qemu, up.size()); });
    CHECK(session.client.wire().send(std::string_view(frame).substr(up_sent)));
    CHECK((at_qemu.get() == up));
    auto rest = std::async(std::launch::async,
                           [&] { return session.qemu->send(std::string_view(down).substr(down_sent), 20s, nullptr); });
    CHECK((session.client.receive_payload(down.size(), 20s) == down));
    CHECK(rest.get());
  }
}

TEST_CASE("a client that has vanished without a word is given up, and its slot is free") {
  both_ways([](Way way) {
    Road road(way);
    const Session silent(road, 0);  // answers no ping
    CHECK(rest_of(*silent.qemu).empty());
    check_free(road, 0);
  });
}

TEST_CASE("the death of either program ends the session at its other ends") {
  both_ways([](Way way) {
    {
      Road road(way);
      Session session(road, 0);
      CHECK(session.qemu->send("last words"));
      CHECK(session.client.receive_payload(10, 10s) == "last words");
      road.node.process().kill_hard();
      CHECK_FALSE(session.client.receive(5s).has_value());
      CHECK(rest_of(*session.qemu).empty());
      road.node.start();
      check_free(road, 0);
    }
    Road road(way);  // another one: the session that found the slot free may still hold it for a moment
    Session session(road, 0);
    road.loop.apiserver().kill_hard();
    CHECK(rest_of(*session.qemu).empty());
    road.loop.start_apiserver();
    check_free(road, 0);
  });
}

TEST_CASE("four sessions and no fifth, many in a row leave no descriptor behind") {
  both_ways([](Way way) {
    Road road(way);
    static_cast<void>(Session(road, 0));
    check_free(road, 0);
    std::size_t api = 0;
    std::size_t node = 0;
    for (int round = 0; round < 5; ++round) {
      {
        std::vector<Session> sessions;
        for (int slot = 0; slot < 4; ++slot) sessions.emplace_back(road, slot);
        CHECK(road.node.ask().find("(503)") != std::string::npos);
      }
      check_free(road, 0);
      if (round == 0) {
        api = open_fds(road.loop.apiserver().pid());
        node = open_fds(road.node.process().pid());
      }
    }
    CHECK(holds_within(5s, [&] { return open_fds(road.loop.apiserver().pid()) <= api; }));
    CHECK(holds_within(5s, [&] { return open_fds(road.node.process().pid()) <= node; }));
  });
}

TEST_CASE("a node that announces a handoff and sends no socket is refused, and the server goes on") {
  CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  FakeNode node(loop);
  node.add_running_vmi("demo");
  for (int round = 0; round < 3; ++round) {
    auto client = TlsSocket(loop.api().host(), loop.api().port(), loop.api().ca_file());
    client.send(upgrade_head(usbredir_path("demo"), loop.api().token()));
    auto request = node.accept();
    CHECK(request.header("Usbloop-Handoff") == "socket");
    std::string answer = switching_protocols(request);
    answer.insert(answer.size() - 2, "Usbloop-Handoff: socket\r\n");
    request.socket->send(answer);
    CHECK(client.receive_through("\r\n\r\n", 10s).starts_with("HTTP/1.1 500 "));
    CHECK(request.socket->receive_to_end(5s).empty());
  }
  CHECK(loop.api().get(vmis_path()).status == 200);
}
