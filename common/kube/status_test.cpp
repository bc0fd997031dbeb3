#include "common/kube/status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace usbloop::kube;

TEST_CASE("virt-api's refusals are printed with its fields, its order and its indentation") {
  CHECK(body_indented(not_found("kubevirt.io", "virtualmachineinstance", "X")) ==
        "{\n"
        " \"kind\": \"Status\",\n"
        " \"apiVersion\": \"v1\",\n"
        " \"metadata\": {},\n"
        " \"status\": \"Failure\",\n"
        " \"message\": \"virtualmachineinstance.kubevirt.io \\\"X\\\" not found\",\n"
        " \"reason\": \"NotFound\",\n"
        " \"details\": {\n"
        "  \"name\": \"X\",\n"
        "  \"group\": \"kubevirt.io\",\n"
        "  \"kind\": \"virtualmachineinstance\"\n"
        " },\n"
        " \"code\": 404\n"
        "}");
  CHECK(body_indented(bad_request("VMI is not running")) ==
        "{\n"
        " \"kind\": \"Status\",\n"
        " \"apiVersion\": \"v1\",\n"
        " \"metadata\": {},\n"
        " \"status\": \"Failure\",\n"
        " \"message\": \"VMI is not running\",\n"
        " \"reason\": \"BadRequest\",\n"
        " \"code\": 400\n"
        "}");
}

TEST_CASE("an internal error carries its cause in the message and in the details") {
  CHECK(body(internal_error("it broke")) ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Internal error occurred: )"
        R"(it broke","reason":"InternalError","details":{"causes":[{"message":"it broke"}]},"code":500})"
        "\n");
}

TEST_CASE("the refusals of kube-apiserver say what the real one says") {
  CHECK(unauthorized().message == "Unauthorized");
  CHECK(not_found("", "nodes", "n").message == "nodes \"n\" not found");
  CHECK(already_exists("kubevirt.io", "virtualmachineinstances", "a").message ==
        "virtualmachineinstances.kubevirt.io \"a\" already exists");
  CHECK(object_modified("kubevirt.io", "virtualmachineinstances", "a").message ==
        "Operation cannot be fulfilled on virtualmachineinstances.kubevirt.io \"a\": the object has been modified; "
        "please apply your changes to the latest version and try again");
  CHECK(invalid("kubevirt.io", "VirtualMachineInstance", "a", {{"FieldValueRequired", "Required value", "spec"}})
            .message == "VirtualMachineInstance.kubevirt.io \"a\" is invalid: spec: Required value");
  CHECK(invalid("", "Node", "a", {{"", "x", "spec"}, {"", "y", ""}}).message == "Node \"a\" is invalid: [spec: x, y]");
}

TEST_CASE("a success has no code and no reason") {
  CHECK(body(deleted("kubevirt.io", "virtualmachineinstances", "a", "u-1")) ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"a",)"
        R"("group":"kubevirt.io","kind":"virtualmachineinstances","uid":"u-1"}})"
        "\n");
}

TEST_CASE("what is printed is read back") {
  Status status = conflict("kubevirt.io", "virtualmachineinstance", "X", "Not configured with USB Redirection");
  status.causes.push_back({"FieldValueInvalid", "bad", "spec.domain"});
  status.retry_after_seconds = 3;
  const auto read = parse_status(body_indented(status));
  REQUIRE(read);
  CHECK(read->code == 409);
  CHECK(read->message == status.message);
  CHECK(read->reason == "Conflict");
  CHECK(read->details_name == "X");
  CHECK(read->causes == status.causes);
  CHECK(read->retry_after_seconds == 3);
}

TEST_CASE("what is no Status is not taken for one") {
  for (const char* text : {"", "{}", "[]", "null", "{\"kind\":\"Pod\"}", "{\"kind\":5}", "404 page not found", "{"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_status(text));
  }
}

TEST_CASE("fields of a wrong type are read as absent") {
  const auto read =
      parse_status(R"({"kind":"Status","code":"x","message":7,"details":{"name":[],"causes":[1,{"message":2}]}})");
  REQUIRE(read);
  CHECK(read->code == 0);
  CHECK(read->message.empty());
  CHECK(read->details_name.empty());
  CHECK(read->causes == std::vector<StatusCause>{{"", "", ""}});
}

TEST_CASE("invalid UTF-8 in a message is replaced and does not throw") {
  CHECK(body(bad_request("a\xff z")).find("a\xEF\xBF\xBD z") != std::string::npos);
}
