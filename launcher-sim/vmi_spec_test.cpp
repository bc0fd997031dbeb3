#include "launcher-sim/vmi_spec.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

json vmi(json spec = {{"domain", {{"devices", json::object()}}}}) {
  return {{"metadata", {{"name", "demo"}, {"namespace", "default"}, {"uid", "0e4b039f-eaea-4be4-8c97-93f935dd51b6"}}},
          {"spec", std::move(spec)}};
}

}  // namespace

TEST_CASE("a VMI that asks for nothing gets the defaults") {
  const auto spec = guest_spec(vmi());
  REQUIRE(spec);
  CHECK(spec->full_name() == "default/demo");
  CHECK(spec->memory_mib == 256);
  CHECK(spec->cores == 1);
  CHECK_FALSE(spec->client_passthrough);
}

TEST_CASE("memory, cores and client passthrough are read from the spec") {
  const auto spec = guest_spec(vmi({{"domain",
                                     {{"memory", {{"guest", "1Gi"}}},
                                      {"cpu", {{"cores", 2}}},
                                      {"resources", {{"requests", {{"memory", "512Mi"}}}}},
                                      {"devices", {{"clientPassthrough", json::object()}}}}},
                                    {"terminationGracePeriodSeconds", 0}}));
  REQUIRE(spec);
  CHECK(spec->memory_mib == 1024);
  CHECK(spec->cores == 2);
  CHECK(spec->client_passthrough);
  CHECK(spec->grace == 0s);
  CHECK(guest_spec(vmi({{"domain", {{"resources", {{"requests", {{"memory", "512Mi"}}}}}}}}))->memory_mib == 512);
}

TEST_CASE("a guest's host name is the VMI's, or the one that it asks for") {
  json object = vmi();
  CHECK(guest_spec(object)->hostname == "demo");
  object["metadata"]["name"] = "www.example";
  CHECK(guest_spec(object)->hostname == "www");
  object["metadata"]["name"] = std::string(100, 'a');
  CHECK(guest_spec(object)->hostname == std::string(63, 'a'));
  object["spec"]["hostname"] = "desk";
  CHECK(guest_spec(object)->hostname == "desk");
  // It becomes a kernel parameter.
  for (const json& wrong : {json("a b"), json("a.b"), json(std::string(64, 'a')), json("a\n"), json(1)}) {
    object["spec"]["hostname"] = wrong;
    CHECK(guest_spec(object).error().object == "/spec/hostname");
  }
}

TEST_CASE("what a kernel reads when it boots keeps a guest from being a copy") {
  CHECK(may_be_cloned(*guest_spec(vmi())));
  json object = vmi();
  SUBCASE("a UUID of its own") {
    object["spec"]["domain"]["firmware"]["uuid"] = "5d307ca9-b3ef-428c-8861-06e72d69f223";
    CHECK(guest_spec(object)->system_uuid == "5d307ca9-b3ef-428c-8861-06e72d69f223");
  }
  SUBCASE("a serial number of its own") {
    object["spec"]["domain"]["firmware"]["serial"] = "A1 B2";
    CHECK(guest_spec(object)->system_serial == "A1 B2");
  }
  SUBCASE("a volume") { object["spec"]["volumes"] = json::array({{{"name", "root"}}}); }
  SUBCASE("another firmware") { object["spec"]["domain"]["firmware"]["bootloader"]["efi"] = json::object(); }
  SUBCASE("a kernel of its own") { object["spec"]["domain"]["firmware"]["kernelBoot"] = json::object(); }
  SUBCASE("more memory than a template has") { object["spec"]["domain"]["memory"]["guest"] = "5Gi"; }
  CHECK_FALSE(may_be_cloned(*guest_spec(object)));
}

TEST_CASE("a guest that says how it starts is told from one that has the usual BIOS") {
  json object = vmi();
  CHECK_FALSE(guest_spec(object)->own_start);
  json& firmware = object["spec"]["domain"]["firmware"];
  firmware["uuid"] = "5d307ca9-b3ef-428c-8861-06e72d69f223";
  firmware["bootloader"]["bios"] = json::object();
  CHECK_FALSE(guest_spec(object)->own_start);
  SUBCASE("words of the BIOS") { firmware["bootloader"]["bios"]["useSerial"] = true; }
  SUBCASE("EFI") { firmware["bootloader"] = {{"efi", json::object()}}; }
  SUBCASE("a volume") { object["spec"]["volumes"] = json::array({{{"name", "root"}}}); }
  CHECK(guest_spec(object)->own_start);
}

TEST_CASE("a UUID or serial number that SMBIOS cannot show is refused") {
  json object = vmi();
  object["spec"]["domain"]["firmware"]["uuid"] = "none,file=/etc/shadow";
  CHECK(guest_spec(object).error().object == "/spec/domain/firmware/uuid");
  object = vmi();
  for (const std::string& wrong : {std::string("a\nb"), std::string(257, 'a'), std::string("\xff")}) {
    object["spec"]["domain"]["firmware"]["serial"] = wrong;
    CHECK(guest_spec(object).error().object == "/spec/domain/firmware/serial");
  }
}

TEST_CASE("quantities of memory are those of Kubernetes, rounded up to MiB") {
  CHECK(*memory_mib("256Mi") == 256);
  CHECK(*memory_mib("1.5Gi") == 1536);
  CHECK(*memory_mib("1073741824") == 1024);
  CHECK(*memory_mib("1e9") == 954);
  CHECK(*memory_mib("512M") == 489);
  CHECK(*memory_mib("1Ki") == 1);
  CHECK(*memory_mib("268435456000m") == 256);
  for (const char* wrong : {"", "Mi", "-1Mi", "256 Mi", "256Mib", "0", "nan", "inf", "1e300", "0x10Mi", "999999Pi",
                            "256Mi,size=1T", "256Mi\n"}) {
    CAPTURE(wrong);
    CHECK_FALSE(memory_mib(wrong));
  }
}

TEST_CASE("what is out of bounds or of the wrong type names its field") {
  const auto cause_field = [](json spec) {
    const auto result = guest_spec(vmi(std::move(spec)));
    return result ? std::string("accepted") : result.error().object;
  };
  CHECK(cause_field({{"domain", {{"memory", {{"guest", "1Mi"}}}}}}) == "/spec/domain/memory/guest");
  CHECK(cause_field({{"domain", {{"memory", {{"guest", "9999Ti"}}}}}}) == "/spec/domain/memory/guest");
  CHECK(cause_field({{"domain", {{"memory", {{"guest", json::array()}}}}}}) == "/spec/domain/memory/guest");
  CHECK(cause_field({{"domain", {{"cpu", {{"cores", 0}}}}}}) == "/spec/domain/cpu/cores");
  CHECK(cause_field({{"domain", {{"cpu", {{"cores", 17}}}}}}) == "/spec/domain/cpu/cores");
  CHECK(cause_field({{"domain", {{"cpu", {{"cores", "1,id=x"}}}}}}) == "/spec/domain/cpu/cores");
  CHECK(cause_field({{"domain", {{"cpu", {{"cores", 1.5}}}}}}) == "/spec/domain/cpu/cores");
}

TEST_CASE("a grace period of any length is taken, and no clock runs over with it") {
  const auto grace = [](const json& seconds) {
    const auto spec = guest_spec(vmi({{"terminationGracePeriodSeconds", seconds}}));
    REQUIRE(spec);
    CHECK(spec->grace == termination_grace(vmi({{"terminationGracePeriodSeconds", seconds}})));
    return spec->grace;
  };
  CHECK(grace(nullptr) == 30s);
  CHECK(grace(0) == 0s);
  CHECK(grace(301) == 301s);
  CHECK(grace(3600) == 3600s);
  CHECK(grace(86'400) == 24h);
  CHECK(grace(-5) == 0s);
  CHECK(grace(std::numeric_limits<std::int64_t>::min()) == 0s);
  for (const json& endless : {json(std::numeric_limits<std::int64_t>::max()), json(10'000'000'000'000'000'000U)}) {
    CHECK(grace(endless) >= 99 * 365 * 24h);
    CHECK(std::chrono::steady_clock::now() + grace(endless) > std::chrono::steady_clock::now());
    CHECK(std::chrono::milliseconds(grace(endless)) > 0ms);
  }
}

TEST_CASE("an object of any shape is refused without harm") {
  for (const char* text : {"{}", "[]", "null", "1", "\"x\"", R"({"metadata":[]})", R"({"metadata":{"name":1}})"}) {
    CAPTURE(text);
    CHECK_FALSE(guest_spec(json::parse(text)));
  }
}

TEST_CASE("names and UIDs that could mean more than a name are refused") {
  for (const char* field : {"name", "namespace", "uid"}) {
    for (const char* value :
         {"", "../etc", "a/b", "a,id=x", "a b", "A", "-x\n", "0e4b039f-eaea-4be4-8c97-93f935dd51b"}) {
      CAPTURE(field);
      CAPTURE(value);
      json object = vmi();
      object["metadata"][field] = value;
      const bool is_name = std::string_view(value).find_first_not_of("0123456789abcdef-") == std::string_view::npos;
      if (std::string_view(field) != "uid" && is_name && *value != '\0') continue;
      CHECK_FALSE(guest_spec(object));
    }
  }
  CHECK(is_uuid("0e4b039f-eaea-4be4-8c97-93f935dd51b6"));
  CHECK_FALSE(is_uuid("0e4b039f-eaea-4be4-8c97-93f935dd51b/"));
  CHECK_FALSE(is_uuid("------------------------------------"));
}
