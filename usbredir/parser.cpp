#include "usbredir/parser.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <new>
#include <utility>

#include "usbredir/host_end.h"
#include "usbredir/parser_callbacks.h"

namespace usbloop::usbredir {
namespace {

constexpr std::size_t kHeaderSize32bitIds = 12;
constexpr std::size_t kHeaderSize64bitIds = 16;

bool offers(const ParserOptions& options, int cap) {
  return std::find(options.capabilities.begin(), options.capabilities.end(), cap) != options.capabilities.end();
}

}  // namespace

Parser::Parser(const ParserOptions& options, PacketHandler& handler)
    : handler_(handler),
      gate_(options.limits, offers(options, usb_redir_cap_64bits_ids)),
      high_water_(options.high_water),
      keep_data_(options.keep_data),
      parser_(usbredirparser_create()) {
  if (!parser_) throw std::bad_alloc();
  ParserCallbacks::install(*parser_, *this);
  std::array<std::uint32_t, USB_REDIR_CAPS_SIZE> caps{};
  for (const int cap : options.capabilities) usbredirparser_caps_set_cap(caps.data(), cap);
  // With the buffer handed over, the library's outgoing packets are queued without a copy.
  const int flags =
      usbredirparser_fl_write_cb_owns_buffer | (options.side == Side::usb_host ? int(usbredirparser_fl_usb_host) : 0);
  usbredirparser_init(parser_.get(), options.version.c_str(), caps.data(), int(caps.size()), flags);
  flush();
}

Parser::~Parser() = default;

Result<std::size_t> Parser::feed(std::span<const std::byte> bytes) {
  if (error_) return tl::unexpected(*error_);
  input_ = bytes;
  const int result = usbredirparser_do_read(parser_.get());
  // The library skips a packet that it cannot read and goes on. We give up a peer that breaks the protocol.
  if (result == usbredirparser_read_parse_error) fail(complaint_.empty() ? "malformed packet" : printable(complaint_));
  flush();  // the library itself answers device_disconnect with an ack
  const std::size_t taken = bytes.size() - std::exchange(input_, {}).size();
  if (error_) return tl::unexpected(*error_);
  return taken;
}

int Parser::read(std::uint8_t* data, int count) {
  if (error_) return -1;
  if (input_.empty()) return 0;
  if (gate_.at_boundary() && !wants_input()) return 0;
  const bool wanted = keep_data_ || !gate_.in_data();
  const auto piece = gate_.pass(input_, static_cast<std::size_t>(count));
  if (!piece) {
    error_ = piece.error();
    return -1;
  }
  if (wanted) std::memcpy(data, piece->data(), piece->size());
  input_ = input_.subspan(piece->size());
  return static_cast<int>(piece->size());
}

int Parser::write(std::uint8_t* data, int count) {
  output_.append(WriteBuffer(data), 0, static_cast<std::size_t>(count));
  return count;  // anything else and the library calls abort()
}

void Parser::flush() {
  if (usbredirparser_has_data_to_write(parser_.get()) > 0) usbredirparser_do_write(parser_.get());
}

void Parser::fail(std::string cause) {
  if (!error_) error_ = Error{ErrorKind::protocol, "read the usbredir stream", "", std::move(cause)};
}

bool Parser::both_have(int cap) const {
  return usbredirparser_have_cap(parser_.get(), cap) != 0 && usbredirparser_peer_has_cap(parser_.get(), cap) != 0;
}

std::size_t Parser::header_size() const {
  // The hello itself always has the short header: the peer's capabilities are not known yet.
  return both_have(usb_redir_cap_64bits_ids) ? kHeaderSize64bitIds : kHeaderSize32bitIds;
}

}  // namespace usbloop::usbredir
