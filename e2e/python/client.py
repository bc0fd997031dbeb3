"""The Kubernetes client for Python, as people use it: it makes, lists, watches, patches and deletes an object of every
kind, and talks to a VMI that runs.

KUBECONFIG names the loop. Ends with 0, or with a traceback that says what was not as it should be.
"""

import base64
import json
import os
import ssl
import sys

import every_kind
import websocket
import yaml
from kubernetes import client, config, watch

GROUP, VERSION, PLURAL, NAMESPACE, NAME = "kubevirt.io", "v1", "virtualmachineinstances", "default", "from-python"
BEARER = "base64url.bearer.authorization.k8s.io."
PLAIN = "plain.kubevirt.io"


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def read_everything():
    """Lists what the server keeps. The client's models raise where a required field is missing."""
    version = client.VersionApi().get_code()  # GET /version/
    check(version.git_version.startswith("v1."), version)
    core = client.CoreV1Api()
    rbac = client.RbacAuthorizationV1Api()
    for listing in (
        core.list_namespace,
        core.list_pod_for_all_namespaces,
        core.list_event_for_all_namespaces,
        client.CoordinationV1Api().list_lease_for_all_namespaces,
        rbac.list_cluster_role,
        rbac.list_cluster_role_binding,
        rbac.list_role_for_all_namespaces,
        rbac.list_role_binding_for_all_namespaces,
        client.ApiextensionsV1Api().list_custom_resource_definition,
        client.ApiregistrationV1Api().list_api_service,
        core.list_config_map_for_all_namespaces,
        core.list_secret_for_all_namespaces,
        core.list_service_account_for_all_namespaces,
        core.list_service_for_all_namespaces,
        core.list_persistent_volume_claim_for_all_namespaces,
        client.AppsV1Api().list_deployment_for_all_namespaces,
        client.AppsV1Api().list_stateful_set_for_all_namespaces,
        client.AppsV1Api().list_daemon_set_for_all_namespaces,
        client.CertificatesV1Api().list_certificate_signing_request,
        client.NetworkingV1Api().list_network_policy_for_all_namespaces,
        client.PolicyV1Api().list_pod_disruption_budget_for_all_namespaces,
        client.SchedulingV1Api().list_priority_class,
    ):
        listing()
    (node,) = core.list_node().items
    info = node.status.node_info
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        check(info.boot_id == file.read().strip(), info)
    check(None not in info.to_dict().values(), info)
    check(info.operating_system == "linux" and info.kernel_version == os.uname().release, info)


def watch_until(api, resource_version, condition):
    """The first event of our VMI that fits; its object."""
    events = watch.Watch().stream(
        api.list_namespaced_custom_object, GROUP, VERSION, NAMESPACE, PLURAL,
        field_selector="metadata.name=" + NAME, resource_version=resource_version, timeout_seconds=120,
    )
    for event in events:
        if condition(event):
            return event["object"]
    raise AssertionError("the watch ended without the event")


def encoded(token):
    return BEARER + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def open_console(server, ca_file, protocols):
    """A websocket without any header of authorization, as a browser opens one."""
    url = server.replace("https://", "wss://")
    path = f"/apis/subresources.{GROUP}/{VERSION}/namespaces/{NAMESPACE}/{PLURAL}/{NAME}/console"
    return websocket.create_connection(url + path, subprotocols=protocols, sslopt={"ca_certs": ca_file}, timeout=60)


def refused(server, ca_file, protocols):
    try:
        open_console(server, ca_file, protocols).close()
    except websocket.WebSocketBadStatusException as error:
        return error.status_code
    return 101


def use_console():
    with open(os.environ["KUBECONFIG"], encoding="utf-8") as file:
        kubeconfig = yaml.safe_load(file)
    token = kubeconfig["users"][0]["user"]["token"]
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    ca_file = client.Configuration.get_default_copy().ssl_ca_cert
    console = open_console(server, ca_file, [encoded(token), PLAIN])
    check(console.getsubprotocol() == PLAIN, console.getsubprotocol())
    console.send_binary(b"\n")
    check(console.recv(), "the guest said nothing")
    console.close()
    for protocols in ([PLAIN], [encoded(token)], [encoded("guess"), PLAIN], [encoded(token) + "=", PLAIN],
                      [encoded(token), encoded(token), PLAIN], [BEARER + "_w", PLAIN]):
        code = refused(server, ca_file, protocols)
        check(code == 401, f"{code} for {len(protocols)} subprotocols")


def main():
    config.load_kube_config(config_file=os.environ["KUBECONFIG"])
    read_everything()
    every_kind.use_every_kind(sys.argv[2])
    api = client.CustomObjectsApi()
    manifest = json.loads(sys.argv[1])
    made = api.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, manifest)
    running = watch_until(api, made["metadata"]["resourceVersion"],
                          lambda event: event["object"].get("status", {}).get("phase") == "Running")
    listed = api.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL)["items"]
    check([item["metadata"]["name"] for item in listed] == [NAME], listed)
    use_console()
    read_everything()  # with a pod and its events
    api.delete_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, NAME)
    watch_until(api, running["metadata"]["resourceVersion"], lambda event: event["type"] == "DELETED")
    print("python client: done")


main()
