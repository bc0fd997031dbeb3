#pragma once

#include <usbredirparser.h>

#include "usbredir/parser.h"

namespace usbloop::usbredir {

/// The C callbacks of libusbredirparser, which lead to a Parser and its handler. No exception passes through the
/// library: what a handler throws ends the stream.
struct ParserCallbacks {
  /// `priv` of the library is the Parser.
  static void install(usbredirparser& target, Parser& owner);

 private:
  static void install_control(usbredirparser& target);
  static void install_status(usbredirparser& target);
  static void install_data(usbredirparser& target);
  static void log(void* priv, int level, const char* text);

  template <typename Call>
  static void deliver(void* priv, Call&& call);
};

}  // namespace usbloop::usbredir
