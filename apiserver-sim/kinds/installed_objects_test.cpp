#include "apiserver-sim/kinds/installed_objects.h"

#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;

TEST_CASE("clients that look for KubeVirt find it, after every start") {
  Api api;
  for (int start = 0; start < 2; ++start) REQUIRE(make_installed_objects(api.registry, *api.store));
  const json kubevirt = api.ok(api.call("GET", "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts/kubevirt"));
  CHECK(kubevirt["status"]["phase"] == "Deployed");
  CHECK(kubevirt["status"]["observedKubeVirtVersion"] == "v1.9.0");
  const std::string extensions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
  const json definition = api.ok(api.call("GET", extensions + "virtualmachineinstances.kubevirt.io"));
  CHECK(definition["spec"]["names"]["shortNames"] == json::array({"vmi", "vmis"}));
  CHECK(definition["spec"]["versions"][0]["name"] == "v1");
  CHECK(definition["spec"]["versions"][1]["deprecated"] == true);
  CHECK(definition["status"]["conditions"].size() == 2);
  const json service =
      api.ok(api.call("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.subresources.kubevirt.io"));
  CHECK(service["spec"]["service"]["name"] == "virt-api");
  CHECK(service["status"]["conditions"][0]["status"] == "True");
}
