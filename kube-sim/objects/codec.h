#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/schema/schema_set.h"

// Request bodies to JSON trees. All input is hostile: sizes are bounded before, depth here.
namespace usbloop::apiserver {

inline constexpr std::size_t kMaxBodyBytes = 3 * 1024 * 1024;
/// Deeper documents are refused: several of the functions that walk a tree are recursive.
inline constexpr int kMaxJsonDepth = 64;

/// Refuses invalid JSON, invalid UTF-8 and too deep documents with 400; the message is the bare reason, in Go's words.
tl::expected<nlohmann::json, kube::Status> parse_json(std::string_view text);
/// The same for one YAML document.
tl::expected<nlohmann::json, kube::Status> parse_yaml(const std::string& text);

/// Whether the tree is no deeper than kMaxJsonDepth.
bool depth_is_fine(const nlohmann::json& tree);

/// A part of a Content-Type or Accept header, in lower case and without blanks.
std::string media_word(std::string_view text);

/// "application/json" of "application/json; charset=utf-8", in lower case.
std::string media_type(std::string_view content_type);

/// How the refusal of a JSON text begins in which no object with kind and apiVersion can be seen.
inline constexpr const char* kNoTypeInJson = "couldn't get version/kind; json parse error: ";

/// The object in a request's body by its Content-Type: JSON (also when there is none), YAML, or Kubernetes' protobuf
/// envelope for the kinds whose fields have numbers in `schemas`. 415 for other types.
tl::expected<nlohmann::json, kube::Status> decode_object(const std::string& content_type, const std::string& body,
                                                         const SchemaSet& schemas);

}  // namespace usbloop::apiserver
