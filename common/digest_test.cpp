#include "common/digest.h"

#include <doctest/doctest.h>

using namespace usbloop;

TEST_CASE("digests are those of FIPS 180-4's examples") {
  CHECK(hexadecimal(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hexadecimal(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hexadecimal(sha512("abc")) ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_CASE("a digest of pieces is that of the whole") {
  Sha256 sum;
  for (const char* piece : {"a", "", "bc"}) sum.add(piece);
  CHECK(sum.hex() == hexadecimal(sha256("abc")));
}
