#include "client/app.h"
#include "common/version.h"

int main(int argc, char** argv) {
  return usbloop::client::run_client(argc > 0 ? argv[0] : "usbredir",
                                     std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc),
                                     usbloop::version());
}
