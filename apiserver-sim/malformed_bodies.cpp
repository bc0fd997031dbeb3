#include "apiserver-sim/malformed_requests.h"

namespace usbloop::apiserver::test {
namespace {

/// A POST with these field lines, and what stands behind its head.
std::string post(const std::string& authorization, const std::string& fields, const std::string& rest) {
  return "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n" + authorization + fields + "\r\n" + rest;
}

void add_lengths(const std::string& authorization, std::vector<MalformedRequest>& rows) {
  for (const char* length : {"",
                             "-1",
                             "+5",
                             "-0",
                             "0x5",
                             "5x",
                             "x5",
                             "5 5",
                             "5,5",
                             "5, 5",
                             "5;5",
                             "5.0",
                             "5e0",
                             "\"5\"",
                             "5\t5",
                             "0b1",
                             "0o5",
                             "five",
                             "\xc2\xb2",
                             "\xef\xbc\x95",
                             "18446744073709551616",
                             "99999999999999999999999",
                             "-18446744073709551615",
                             "1_0",
                             "1'0",
                             ",5",
                             "5,"}) {
    rows.push_back({"6.2", post(authorization, std::string("Content-Length: ") + length + "\r\n", "hello")});
  }
  for (const char* fields :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n", "Content-Length: 5\r\ncontent-length: 0\r\n",
        "Content-Length: 5\r\nX: y\r\nContent-Length: 5\r\n", "Content-Length : 5\r\n", "Content-Length\t: 5\r\n",
        "Content-Length:\r\n 5\r\n", " Content-Length: 5\r\n", "Content-Length: 5\r\n 0\r\n",
        "Content-Length: 0\nContent-Length: 5\r\n", "X: y\rContent-Length: 5\r\n", "Content-Length: 5\n\r\n",
        "Content-Length: 5\v\r\n", "Content-Length: \f5\r\n"}) {
    rows.push_back({"6.3", post(authorization, fields, "hello")});
  }
  rows.push_back({"6.2", post(authorization, std::string("Content-Length: 5\0\r\n", 20), "hello")});
  // RFC 9110 section 15.5.14: readable, and more than this server takes.
  for (const char* length : {"3145729", "4294967296", "18446744073709551615"}) {
    rows.push_back({"6.2", post(authorization, std::string("Content-Length: ") + length + "\r\n", ""), 413});
  }
  rows.push_back({"8.4 of RFC 9110", post(authorization, "Content-Length: 5\r\nContent-Encoding: gzip\r\n", ""), 415});
}

void add_codings(const std::string& authorization, std::vector<MalformedRequest>& rows) {
  const std::string chunks = "0\r\n\r\n";
  for (const char* coding : {"",
                             "identity",
                             "xchunked",
                             "chunkedx",
                             "chunke",
                             "chunk",
                             "gzip",
                             "chunked, identity",
                             "chunked, gzip",
                             "chunked, chunked",
                             "chunked,",
                             ",chunked",
                             "\"chunked\"",
                             "chunked;q=1",
                             "chunked x",
                             "x chunked",
                             "chun ked",
                             "\vchunked",
                             "chunked\v",
                             "\xc2\xa0"
                             "chunked",
                             "chunked\xe2\x80\x8b",
                             "[chunked]",
                             "chunked\\",
                             "(chunked)"}) {
    rows.push_back({"6.1", post(authorization, std::string("Transfer-Encoding: ") + coding + "\r\n", chunks)});
  }
  for (const char* fields : {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                             "Content-Length: 0\r\ntransfer-encoding: chunked\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: x\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: \r\n",
                             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
                             "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked\r\nX: y\r\ntransfer-encoding: identity\r\n",
                             "Transfer-Encoding : chunked\r\n",
                             "Transfer-Encoding\t: chunked\r\n",
                             " Transfer-Encoding: chunked\r\n",
                             "Transfer-Encoding:\r\n chunked\r\n",
                             "Transfer-Encoding: chunked\r\n \r\n",
                             "X: y\nTransfer-Encoding: chunked\r\n",
                             "X: y\rTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding\r\n: chunked\r\n",
                             "Transfer-Encoding chunked\r\n",
                             "X: y\r\n\tTransfer-Encoding: chunked\r\n"}) {
    rows.push_back({"6.3", post(authorization, fields, chunks)});
  }
  // Section 6.1: codings that are not known, with chunked as the last one.
  for (const char* coding : {"gzip, chunked", "x, y, chunked", "identity, chunked", "deflate ,\tChunked"}) {
    rows.push_back({"6.1", post(authorization, std::string("Transfer-Encoding: ") + coding + "\r\n", chunks), 501});
  }
  rows.push_back({"6.1", "POST /api/v1/namespaces HTTP/1.0\r\n" + authorization +
                             "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks});
}

void add_chunks(const std::string& authorization, std::vector<MalformedRequest>& rows) {
  for (const char* chunks : {"0x3\r\nabc\r\n0\r\n\r\n",
                             "+3\r\nabc\r\n0\r\n\r\n",
                             "-3\r\nabc\r\n0\r\n\r\n",
                             " 3\r\nabc\r\n0\r\n\r\n",
                             "3 \r\nabc\r\n0\r\n\r\n",
                             "\t3\r\nabc\r\n0\r\n\r\n",
                             "3h\r\nabc\r\n0\r\n\r\n",
                             "g\r\n",
                             "\r\n0\r\n\r\n",
                             ";a\r\n0\r\n\r\n",
                             "3,\r\nabc\r\n0\r\n\r\n",
                             "3.\r\nabc\r\n0\r\n\r\n",
                             "\"3\"\r\nabc\r\n0\r\n\r\n",
                             "100000000\r\n",
                             "10000000000000003\r\nabc\r\n0\r\n\r\n",
                             "ffffffffffffffff\r\n",
                             "-1\r\n",
                             "000000003\r\nabc\r\n0\r\n\r\n",
                             "3\nabc\r\n0\r\n\r\n",
                             "3\rabc\r\n0\r\n\r\n",
                             "3\r\rabc\r\n0\r\n\r\n",
                             "3\n\nabc\n0\n\n",
                             "3\r\nabcd\r\n0\r\n\r\n",
                             "3\r\nabc0\r\n\r\n",
                             "3\r\nabc\n0\r\n\r\n",
                             "3\r\nabc\r0\r\n\r\n",
                             "3\r\nab\r\n0\r\n\r\n"}) {
    rows.push_back({"7.1", post(authorization, "Transfer-Encoding: chunked\r\n", chunks)});
  }
  for (const char* extension : {";", "; ", ";=a", ";a=", ";a=\"b", ";a=\"b\\\"", ";a b", ";a;", ";a;;b", " a", ";a=b c",
                                ";a\n", ";a\rb", ";\n0\r\n\r\nGET / HTTP/1.1\r\n", ";a\v", ";(a)", ";a==b", ";a=b=c"}) {
    rows.push_back({"7.1.1", post(authorization, "Transfer-Encoding: chunked\r\n",
                                  std::string("3") + extension + "\r\nabc\r\n0\r\n\r\n")});
  }
  for (const char* trailer : {"X\r\n", ": x\r\n", "X : x\r\n", " X: x\r\n", "\tX: x\r\n", "X: a\r\n b\r\n", "X: a\n",
                              "X: a\rY: b\r\n", "\n", "X: a\v\r\n", "X(Y): a\r\n", "X: a\r\n\n"}) {
    rows.push_back({"7.1.2", post(authorization, "Transfer-Encoding: chunked\r\n",
                                  std::string("3\r\nabc\r\n0\r\n") + trailer + "\r\n")});
  }
  rows.push_back({"7.1", post(authorization, "Transfer-Encoding: chunked\r\n", "300001\r\n"), 413});
  rows.push_back(
      {"7.1.1", post(authorization, "Transfer-Encoding: chunked\r\n", "3;a=" + std::string(5000, 'b') + "\r\n"), 413});
}

}  // namespace

std::vector<MalformedRequest> malformed_bodies(const std::string& authorization) {
  std::vector<MalformedRequest> rows;
  add_lengths(authorization, rows);
  add_codings(authorization, rows);
  add_chunks(authorization, rows);
  return rows;
}

}  // namespace usbloop::apiserver::test
