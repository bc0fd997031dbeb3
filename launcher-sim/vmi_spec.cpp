#include "launcher-sim/vmi_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/json_at.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

constexpr std::int64_t kMinMemoryMib = 32;
constexpr std::int64_t kMaxMemoryMib = 64 * 1024;
/// A kernel's tables of its memory are a part of it, and would be in the template's file.
constexpr std::int64_t kMaxClonedMib = 4096;
constexpr std::int64_t kMaxCores = 16;
constexpr std::chrono::seconds kLongestGrace = std::chrono::hours(100 * 366 * 24);
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxSerial = 256;
constexpr double kMib = 1024.0 * 1024.0;

tl::unexpected<Error> bad_field(const std::string& field, const std::string& cause) {
  return make_error(ErrorKind::invalid, "use the VMI's field", field, cause);
}

/// An optional integer within bounds; `fallback` when it is absent.
Result<std::int64_t> integer_at(const json& vmi, const char* pointer, std::int64_t low, std::int64_t high,
                                std::int64_t fallback) {
  const json& value = at(vmi, pointer);
  if (value.is_null()) return fallback;
  if (value.is_number_integer() && value >= low && value <= high) return value.get<std::int64_t>();
  return bad_field(pointer, "must be from " + std::to_string(low) + " to " + std::to_string(high));
}

Result<std::int64_t> memory_of(const json& vmi) {
  for (const char* field : {"/spec/domain/memory/guest", "/spec/domain/resources/requests/memory"}) {
    const json& value = at(vmi, field);
    if (value.is_null()) continue;
    if (!value.is_string() && !value.is_number()) return bad_field(field, "is not a quantity");
    auto mib = memory_mib(value.is_string() ? value.get<std::string>() : value.dump());
    if (!mib) return bad_field(field, mib.error().cause);
    if (*mib < kMinMemoryMib || *mib > kMaxMemoryMib) return bad_field(field, "must be from 32Mi to 64Gi");
    return mib;
  }
  return GuestSpec{}.memory_mib;
}

/// DNS-1123 characters: what the API server admits as names, checked again because the names end in file names and
/// logs.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string_view::npos;
}

/// The name that KubeVirt gives a guest: spec.hostname, or the VMI's name up to its first dot, cut to a DNS label.
Result<std::string> hostname_of(const json& vmi, const std::string& name) {
  const json& given = at(vmi, "/spec/hostname");
  if (!given.is_null() && given != "") {
    std::string hostname = given.is_string() ? given.get<std::string>() : "";
    if (!is_name(hostname) || hostname.size() > kMaxLabel || hostname.find('.') != std::string::npos) {
      return bad_field("/spec/hostname", "is no DNS label");
    }
    return hostname;
  }
  return name.substr(0, std::min(name.find('.'), kMaxLabel));
}

/// Nothing here acts on these fields; a guest that has one starts as a machine does whose firmware nobody chose. A BIOS
/// without settings is what every guest has.
bool says_how_to_start(const json& vmi) {
  return !at(vmi, "/spec/domain/firmware/bootloader/efi").is_null() ||
         at(vmi, "/spec/domain/firmware/bootloader/bios/useSerial") == true ||
         !at(vmi, "/spec/domain/firmware/kernelBoot").is_null();
}

/// What the VMI sets of SMBIOS' table of the system.
Result<> read_system(const json& vmi, GuestSpec& guest) {
  guest.system_uuid = text_at(vmi, "/spec/domain/firmware/uuid");
  if (!guest.system_uuid.empty() && !is_uuid(guest.system_uuid)) {
    return bad_field("/spec/domain/firmware/uuid", "is no UUID");
  }
  guest.system_serial = text_at(vmi, "/spec/domain/firmware/serial");
  const bool printable = std::all_of(guest.system_serial.begin(), guest.system_serial.end(),
                                     [](char character) { return character >= ' ' && character <= '~'; });
  if (guest.system_serial.size() > kMaxSerial || !printable) {
    return bad_field("/spec/domain/firmware/serial", "must be up to 256 printable ASCII characters");
  }
  return {};
}

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = std::string_view("0123456789abcdefABCDEF").find(text[i]) != std::string_view::npos;
    if (dash ? text[i] != '-' : !hex) return false;
  }
  return true;
}

Result<std::int64_t> memory_mib(std::string_view quantity) {
  static constexpr std::array<std::pair<std::string_view, double>, 12> kUnits = {{{"", 1},
                                                                                  {"m", 1e-3},
                                                                                  {"k", 1e3},
                                                                                  {"M", 1e6},
                                                                                  {"G", 1e9},
                                                                                  {"T", 1e12},
                                                                                  {"P", 1e15},
                                                                                  {"Ki", 1024},
                                                                                  {"Mi", kMib},
                                                                                  {"Gi", kMib * 1024},
                                                                                  {"Ti", kMib * 1024 * 1024},
                                                                                  {"Pi", kMib * 1024 * 1024 * 1024}}};
  double number = 0;
  const char* end = quantity.data() + quantity.size();
  const auto [rest, error] = std::from_chars(quantity.data(), end, number);
  if (error == std::errc{} && number > 0 && number < 1e18) {
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    for (const auto& [name, factor] : kUnits) {
      const double mib = std::ceil(number * factor / kMib);
      if (unit == name && mib < 1e12) return static_cast<std::int64_t>(mib);
    }
  }
  return make_error(ErrorKind::invalid, "read", "a quantity",
                    "'" + std::string(quantity.substr(0, 40)) + "' is not a quantity such as 256Mi");
}

std::chrono::seconds grace_period(const json& value) {
  if (!value.is_number_integer()) return GuestSpec{}.grace;
  // A number beyond int64 is unsigned to the parser, and would come out negative.
  const auto longest = static_cast<std::uint64_t>(kLongestGrace.count());
  if (value.is_number_unsigned()) {
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(value.get<std::uint64_t>(), longest)));
  }
  return std::clamp(std::chrono::seconds(value.get<std::int64_t>()), std::chrono::seconds(0), kLongestGrace);
}

std::chrono::seconds termination_grace(const json& vmi) {
  return grace_period(at(vmi, "/spec/terminationGracePeriodSeconds"));
}

Result<GuestSpec> guest_spec(const json& vmi) {
  GuestSpec guest;
  guest.vmi_namespace = text_at(vmi, "/metadata/namespace");
  guest.name = text_at(vmi, "/metadata/name");
  guest.uid = text_at(vmi, "/metadata/uid");
  if (!is_name(guest.vmi_namespace)) return bad_field("/metadata/namespace", "is no name");
  if (!is_name(guest.name)) return bad_field("/metadata/name", "is no name");
  if (!is_uuid(guest.uid)) return bad_field("/metadata/uid", "is no UUID");
  const auto memory = memory_of(vmi);
  if (!memory) return tl::unexpected(memory.error());
  guest.memory_mib = *memory;
  const auto cores = integer_at(vmi, "/spec/domain/cpu/cores", 1, kMaxCores, guest.cores);
  if (!cores) return tl::unexpected(cores.error());
  guest.cores = static_cast<int>(*cores);
  auto hostname = hostname_of(vmi, guest.name);
  if (!hostname) return tl::unexpected(hostname.error());
  guest.hostname = std::move(*hostname);
  if (auto read = read_system(vmi, guest); !read) return tl::unexpected(read.error());
  guest.own_start = !array_at(vmi, "/spec/volumes").empty() || says_how_to_start(vmi);
  guest.grace = termination_grace(vmi);
  guest.graphics = at(vmi, "/spec/domain/devices/autoattachGraphicsDevice") != false;
  guest.client_passthrough = at(vmi, "/spec/domain/devices/clientPassthrough").is_object();
  return guest;
}

GuestSpec template_shape(const GuestSpec& guest) {
  GuestSpec shape;
  shape.vmi_namespace = "usbloop";
  shape.name = "template";
  shape.uid = "00000000-0000-4000-8000-000000000000";
  shape.memory_mib = guest.memory_mib;
  shape.cores = guest.cores;
  shape.client_passthrough = guest.client_passthrough;
  shape.graphics = guest.graphics;
  return shape;
}

bool may_be_cloned(const GuestSpec& guest) {
  return guest.system_uuid.empty() && guest.system_serial.empty() && !guest.own_start &&
         guest.memory_mib <= kMaxClonedMib;
}

}  // namespace usbloop::launcher
