// The instantiations that precompiled.h promises, for a compiler that gives a precompiled header no object file.
#include "cmake/precompiled.h"

#ifndef __clang__
#define USBLOOP_TEMPLATE template
#include "cmake/precompiled_templates.h"
#endif
