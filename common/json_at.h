#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop {

// For reading objects whose shape is not known.

/// The element at a JSON pointer ("/status/phase"), which belongs to `object`; nullptr when there is none.
const nlohmann::json* element_at(const nlohmann::json& object, const char* pointer);
/// The same, and a null value when there is none.
const nlohmann::json& at(const nlohmann::json& object, const char* pointer);
/// The string there, or empty.
std::string text_at(const nlohmann::json& object, const char* pointer);
/// The array there, or an empty one.
nlohmann::json array_at(const nlohmann::json& object, const char* pointer);

}  // namespace usbloop
