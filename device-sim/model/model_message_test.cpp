#include "device-sim/model/model_message.h"

#include <doctest/doctest.h>

#include "common/test_text.h"
#include "device-sim/model/model_test_hello.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::contains;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("a model says what its device is") {
  const auto hello = parse_model_hello(test::kModelHello, "here");
  REQUIRE_MESSAGE(hello, hello.error().message());
  CHECK(hello->description.vendor_id == 0x1209);
  CHECK(hello->description.product_id == 0x0001);
  CHECK(hello->description.speed == usbredir::Speed::full);
  CHECK(hello->description.manufacturer == "Maker");
  CHECK(hello->description.product == "Thing");
  CHECK(hello->description.serial == "0001");
  CHECK(hello->descriptors.find(1, 0).size() == 18);
  CHECK(hello->descriptors.strings.size() == 3);
}

TEST_CASE("what is no device is refused, and the reason is told") {
  const std::string hello = test::kModelHello;
  const auto cause = [](const std::string& line) { return parse_model_hello(line, "here").error().cause; };
  CHECK(contains(cause("[]"), "no JSON object"));
  CHECK(contains(cause("{}"), "speed"));
  CHECK(contains(cause(replaced(hello, "\"full\"", "\"warp\"")), "speed"));
  CHECK(contains(cause(replaced(hello, "1201", "120")), "device is no hexadecimal text"));
  CHECK(contains(cause(replaced(hello, "1201", "1202")), "device descriptor"));
  CHECK(contains(cause(replaced(hello, "\"configuration\": \"", "\"configuration\": \"zz")), "configuration"));
  CHECK(contains(cause(replaced(hello, "\"strings\": [", "\"strings\": [7, ")), "strings"));
  CHECK(contains(cause(replaced(hello, "07058102", "07058101")), "no isochronous endpoints"));
}

TEST_CASE("an answer has an id, a status and data") {
  const auto answer = parse_model_answer(R"({"id": 7, "data": "00fF"})");
  REQUIRE(answer);
  CHECK(answer->id == 7);
  CHECK(answer->status == TransferStatus::success);
  CHECK(answer->data == std::vector{std::byte{0}, std::byte{255}});
  CHECK(parse_model_answer(R"({"id": 7, "status": "stall"})")->status == TransferStatus::stall);
  CHECK(parse_model_answer(R"({"id": 7, "status": "timeout"})")->status == TransferStatus::timeout);
  for (const std::string line :
       {"", "7", R"({"id": -1})", R"({"id": "7"})", R"({"data": ""})", R"({"id": 7, "status": "fine"})",
        R"({"id": 7, "data": "0"})", R"({"id": 7, "data": 5})", R"({"id": 7, "data": "0g"})"}) {
    CAPTURE(line);
    CHECK(parse_model_answer(line).error().kind == ErrorKind::invalid);
  }
  CHECK_FALSE(parse_model_answer(R"({"id": 7, "data": ")" + std::string(2 * kMostModelData + 2, '0') + "\"}"));
}

TEST_CASE("what a model is told is a line of JSON") {
  const SetupPacket setup{0x21, 0x20, 1, 2, 3};
  CHECK(control_line(5, setup, bytes_of("abc")) ==
        R"({"control":{"data":"616263","index":2,"length":3,"request":32,"request_type":33,"value":1},"id":5})"
        "\n");
  CHECK(out_line(6, 2, bytes_of("hi")) == "{\"id\":6,\"out\":{\"data\":\"6869\",\"endpoint\":2}}\n");
  CHECK(in_line(7, 0x81, 64) == "{\"id\":7,\"in\":{\"endpoint\":129,\"length\":64}}\n");
  CHECK(reset_line() == "{\"reset\":true}\n");
  CHECK(select_line(1, 2) == "{\"select\":{\"alternate\":2,\"interface\":1}}\n");
  CHECK(clear_halt_line(0x81) == "{\"clear_halt\":{\"endpoint\":129}}\n");
}
