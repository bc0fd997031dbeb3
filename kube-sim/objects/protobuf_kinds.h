#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

// How the kinds that clients send as protobuf are laid out: the field numbers of Kubernetes' generated.proto files, and
// the names of the same fields in JSON.
namespace usbloop::apiserver::proto {

enum class Type {
  text,     ///< empty: absent
  texts,    ///< repeated
  integer,  ///< 0 is a value
  count,    ///< 0: absent
  boolean,
  flag,           ///< false: absent
  int_or_string,  ///< a message of its own: which of both, the number, the text
  map,            ///< of texts
  bytes_map,      ///< of bytes, base64 in JSON
  message,
  messages,  ///< repeated
  time,
  micro_time
};

struct Field;
using Message = std::vector<Field>;

struct Field {
  std::uint64_t number = 0;
  const char* name = "";
  Type type = Type::text;
  const Message* message = nullptr;
};

/// Null for kinds that are not read from protobuf.
const Message* message_of_kind(std::string_view kind);

}  // namespace usbloop::apiserver::proto
