"""Makes, watches, changes and deletes an object of every kind that the server keeps, with the dynamic client."""

import json

from kubernetes import client, dynamic

NAMESPACE = "default"


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def events_of(resource, name, resource_version, namespace):
    """The types of the object's events behind that version, up to the one that says it is gone."""
    types = []
    for event in resource.watch(
        namespace=namespace, field_selector="metadata.name=" + name, resource_version=resource_version, timeout=60
    ):
        types.append(event["type"])
        if event["type"] == "DELETED":
            break
    return types


def use(kinds, manifest):
    group, _, version = manifest["apiVersion"].rpartition("/")
    resource = kinds.get(prefix="apis" if group else "api", group=group, api_version=version, kind=manifest["kind"])
    namespace = NAMESPACE if resource.namespaced else None
    name, what = manifest["metadata"]["name"], manifest["kind"]
    made = resource.create(body=manifest, namespace=namespace)
    check(made.metadata.name == name and made.metadata.uid, what)
    begin = made.metadata.resourceVersion
    check(name in [item.metadata.name for item in resource.get(namespace=namespace).items], what + " is not listed")
    patch = {"metadata": {"labels": {"by": "client"}}}
    patched = resource.patch(body=patch, name=name, namespace=namespace, content_type="application/merge-patch+json")
    check(patched.metadata.labels.by == "client", what)
    check(resource.get(name=name, namespace=namespace).metadata.labels.by == "client", what)
    resource.delete(name=name, namespace=namespace)
    types = events_of(resource, name, begin, namespace)
    check("MODIFIED" in types and types[-1] == "DELETED", f"{what}: {types}")
    try:
        resource.get(name=name, namespace=namespace)
        raise AssertionError(what + " is still there")
    except dynamic.exceptions.NotFoundError:
        pass


def kinds_served(api):
    """(group, kind) of all that can be made, listed and watched. The dynamic client's own search stumbles over names of
    KubeVirt's subresources with two slashes, on clusters too."""
    def get(path):
        return api.call_api(path, "GET", response_type="object", auth_settings=["BearerToken"])[0]

    versions = [("", "/api/v1")]
    for group in get("/apis")["groups"]:
        versions += [(group["name"], "/apis/" + version["groupVersion"]) for version in group["versions"]]
    wanted = {"create", "list", "watch", "patch", "delete"}
    return {(group, resource["kind"]) for group, path in versions for resource in get(path)["resources"]
            if wanted <= set(resource["verbs"] or []) and "/" not in resource["name"]}


def use_every_kind(objects_file):
    with open(objects_file, encoding="utf-8") as file:
        manifests = json.load(file)
    api = client.ApiClient()
    kinds = dynamic.DynamicClient(api).resources
    named = {(m["apiVersion"].rpartition("/")[0], m["kind"]) for m in manifests}
    served = kinds_served(api)
    check(served == named, f"kinds without an object, or objects without a kind: {served ^ named}")
    for manifest in manifests:
        use(kinds, manifest)
