#pragma once

namespace usbloop {

/// What `--version` says: "usbloop 0.1.0 (d31ad7c)", with "-dirty" behind the commit where the sources had been
/// changed, or with the reason where there is no commit to name. Made at build time (cmake/Version.cmake) and linked by
/// programs only, so that a commit compiles one small file and links four programs.
const char* version();

}  // namespace usbloop
