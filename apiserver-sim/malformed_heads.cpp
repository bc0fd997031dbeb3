#include "apiserver-sim/malformed_requests.h"

namespace usbloop::apiserver::test {
namespace {

constexpr const char* kHost = "Host: x\r\n";

std::string line_with(const std::string& line) { return line + "\r\n" + kHost + "\r\n"; }
std::string target_with(const std::string& target) { return line_with("GET " + target + " HTTP/1.1"); }
std::string fields_with(const std::string& fields) { return "GET /version HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n"; }
std::string host_with(const std::string& host) { return "GET /version HTTP/1.1\r\nHost: " + host + "\r\n\r\n"; }

void add_request_lines(std::vector<MalformedRequest>& rows) {
  for (const char* line : {"GET", "GET ", "GET /version", "GET /version ", "/version HTTP/1.1", " /version HTTP/1.1",
                           " GET /version HTTP/1.1", "GET  /version HTTP/1.1", "GET /version  HTTP/1.1",
                           "GET /version HTTP/1.1 ", "GET\t/version HTTP/1.1", "GET /version\tHTTP/1.1",
                           "GET /version HTTP/1.1 x", "GET /ver sion HTTP/1.1", "HTTP/1.1 200 OK", ""}) {
    rows.push_back({"3", line_with(line)});
  }
  // RFC 9112 section 2.2 lets a server skip an empty line before a request; Go's does not, and no client sends one.
  rows.push_back({"2.2", "\r\n" + target_with("/version")});
  rows.push_back({"2.2", "GET /version HTTP/1.1\nHost: x\n\n"});
  rows.push_back({"2.2", "GET /version HTTP/1.1\r\nHost: x\n\r\n"});
  rows.push_back({"2.2", "GET /version HTTP/1.1\rHost: x\r\n\r\n"});
  rows.push_back({"2.2", "GET /version HTTP/1.1\r\r\nHost: x\r\n\r\n"});
  rows.push_back({"2.2", "\nGET /version HTTP/1.1\r\nHost: x\r\n\r\n"});
}

void add_methods(std::vector<MalformedRequest>& rows) {
  for (const char* method :
       {"G(T", "GET/", "G\"ET", "GET:", "GET,", "G[T", "{GET}", "G=T", "G@T", "G\\T", "G<T", "G;T", "G\xc3\x89T"}) {
    rows.push_back({"3.1", line_with(std::string(method) + " /version HTTP/1.1")});
  }
  // RFC 9110 section 9.1: a method that is none of the server's. Methods are matched with regard to case.
  for (const char* method : {"get", "Get", "TRACE", "CONNECT", "PRI", "FOO", "GETGET", "PROPFIND", "!"}) {
    rows.push_back({"3.1", line_with(std::string(method) + " /version HTTP/1.1"), 501});
  }
}

void add_targets(std::vector<MalformedRequest>& rows) {
  for (const char* target : {"version",
                             "*",
                             "x:443",
                             "?a",
                             "./version",
                             "../version",
                             "/../version",
                             "/a/../version",
                             "/./version",
                             "/%2e%2e/version",
                             "/.%2E/version",
                             "/%",
                             "/%1",
                             "/%zz",
                             "/%1g",
                             "/version?a=%",
                             "/version?a=%g0",
                             "/%00",
                             "/version#a",
                             "/a\\b",
                             "/\xc3\xa4",
                             "/version?\xc3\xa4"}) {
    rows.push_back({"3.2.1", target_with(target)});
  }
  for (const char* target : {"http://", "http:///version", "http:/version", "http:version", "://x/version", "ftp://x/",
                             "http://u@x/version", "http://u:p@x/version", "http://x:y/version", "http://[::1/version",
                             "http://[]/version", "http://x/#a", "http://x y/version"}) {
    rows.push_back({"3.2.2", target_with(target)});
  }
  rows.push_back({"3", target_with("/" + std::string(20'000, 'a')), 414});
}

void add_versions(std::vector<MalformedRequest>& rows) {
  for (const char* version :
       {"HTTP",       "HTTP/",     "HTTP/1",   "HTTP/1.",   "HTTP/.1",   "HTTP/1.1.1", "HTTP/1.10",
        "HTTP/11.1",  "HTTP/01.1", "HTTP/1,1", "HTTP 1.1",  "http/1.1",  "Http/1.1",   "HTTPS/1.1",
        "HTCPCP/1.0", "HTTP/x.1",  "HTTP/1.x", "HTTP/-1.1", "HTTP/+1.1", "HTTP//1.1"}) {
    rows.push_back({"2.3", line_with(std::string("GET /version ") + version)});
  }
  // RFC 9110 section 15.6.6. Nobody speaks a later 1.x, which section 2.5 lets a server take for 1.1.
  for (const char* version : {"HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"}) {
    rows.push_back({"2.3", line_with(std::string("GET /version ") + version), 505});
  }
}

void add_fields(std::vector<MalformedRequest>& rows) {
  for (const char* field : {"X",
                            "X x",
                            ": x",
                            " : x",
                            "X : x",
                            "X\t: x",
                            " X: x",
                            "\tX: x",
                            "X Y: x",
                            "X(Y): x",
                            "X/Y: x",
                            "X[0]: x",
                            "\"X\": x",
                            "X,Y: x",
                            "X=Y: x",
                            "X@Y: x",
                            "X;Y: x",
                            "{X}: x",
                            "X\xc3\xa4: x",
                            "Impersonate-User : x",
                            "Authorization : Bearer x"}) {
    rows.push_back({"5.1", fields_with(std::string(field) + "\r\n")});
  }
  for (const char* fields :
       {"X: a\r\n b\r\n", "X: a\r\n\tb\r\n", "X:\r\n b\r\n", "X: a\r\n \r\n", "X: a\r\n Impersonate-User: x\r\n"}) {
    rows.push_back({"5.2", fields_with(fields)});
  }
  for (const char* fields : {"X: a\nY: b\r\n", "X: a\rY: b\r\n", "X: a\r\r\n", "X: a\n\r\n",
                             "X: a\n\nGET / HTTP/1.1\r\n", "X: \n\r\n", "X: a\n Y: b\r\n"}) {
    rows.push_back({"2.2", fields_with(fields)});
  }
  for (const char byte : {'\0', '\x01', '\b', '\v', '\f', '\x1b', '\x1f', '\x7f'}) {
    rows.push_back({"5.5 of RFC 9110", fields_with(std::string("X: a") + byte + "b\r\n")});
    rows.push_back({"5.1", fields_with(std::string("X") + byte + ": a\r\n")});
    rows.push_back({"3.2", target_with(std::string("/ver") + byte + "sion")});
    rows.push_back({"3.1", line_with(std::string("GE") + byte + "T /version HTTP/1.1")});
  }
  rows.push_back({"5.4 of RFC 9110", fields_with("X: " + std::string(20'000, 'a') + "\r\n"), 431});
}

void add_hosts(std::vector<MalformedRequest>& rows) {
  rows.push_back({"3.2", "GET /version HTTP/1.1\r\n\r\n"});
  rows.push_back({"3.2", fields_with("Host: y\r\n")});
  rows.push_back({"3.2", fields_with("host: x\r\n")});
  rows.push_back({"3.2", "GET /version HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n"});
  for (const char* host :
       {"x y", "x/y", "x@y", "x?y", "x#y", "x:y", "x:1:2", "[::1", "::1", "[]", "[::1]x", "\xc3\xa4", "x, y", "<x>"}) {
    rows.push_back({"3.2", host_with(host)});
  }
  rows.push_back({"10.1.1 of RFC 9110", fields_with("Expect: the-moon\r\n"), 417});
}

}  // namespace

std::vector<MalformedRequest> malformed_heads() {
  std::vector<MalformedRequest> rows;
  add_request_lines(rows);
  add_methods(rows);
  add_targets(rows);
  add_versions(rows);
  add_fields(rows);
  add_hosts(rows);
  return rows;
}

}  // namespace usbloop::apiserver::test
