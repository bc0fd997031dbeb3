#include "kube-sim/security/kubernetes_policy.h"

#include "kube-sim/resources/rbac.h"

namespace usbloop::apiserver {
namespace {

constexpr std::string_view kRead = "get list watch";
constexpr std::string_view kWrite = "create update patch delete deletecollection";

constexpr BootstrapRule kClusterAdmin[] = {{"*", "*", "*"}, {"*", "", "", "*"}};
constexpr BootstrapRule kDiscovery[] = {
    {"get", "", "", "/livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*"}};
constexpr BootstrapRule kMonitoring[] = {
    {"get", "", "", "/metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/*"}};
constexpr BootstrapRule kBasicUser[] = {
    {"create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"},
    {"create", "authentication.k8s.io", "selfsubjectreviews"}};
constexpr BootstrapRule kPublicInfo[] = {{"get", "", "", "/livez /readyz /healthz /version /version/"}};
constexpr BootstrapRule kAuthDelegator[] = {{"create", "authentication.k8s.io", "tokenreviews"},
                                            {"create", "authorization.k8s.io", "subjectaccessreviews"}};

// Rules for the kinds of this server stand in their schema files (`@may`); here is what else admin, edit and view may.
constexpr BootstrapRule kToAdmin[] = {{"create", "authorization.k8s.io", "localsubjectaccessreviews"}};
constexpr BootstrapRule kToEdit[] = {
    {kRead, "core", "pods/attach pods/proxy pods/exec pods/portforward services/proxy"},
    {kWrite, "core", "pods/attach pods/proxy pods/exec pods/portforward services/proxy"},
    {"create", "core", "pods/eviction serviceaccounts/token"},
    {kWrite, "apps", "deployments/rollback replicasets replicasets/scale"},
    {kWrite, "networking.k8s.io", "ingresses"}};
constexpr BootstrapRule kToView[] = {
    {kRead, "core", "endpoints limitranges resourcequotas resourcequotas/status bindings pods/log"},
    {kRead, "discovery.k8s.io", "endpointslices"},
    {kRead, "apps", "controllerrevisions replicasets replicasets/scale replicasets/status"},
    {kRead, "networking.k8s.io", "ingresses ingresses/status"}};

constexpr BootstrapRule kNode[] = {{"create", "authentication.k8s.io", "tokenreviews"},
                                   {"create", "authorization.k8s.io", "subjectaccessreviews localsubjectaccessreviews"},
                                   {kRead, "core", "services"},
                                   {"create get list watch", "core", "nodes"},
                                   {"update patch", "core", "nodes/status"},
                                   {"update patch", "core", "nodes"},
                                   {"create update patch", "core", "events"},
                                   {kRead, "core", "pods"},
                                   {"create delete", "core", "pods"},
                                   {"update patch", "core", "pods/status"},
                                   {"create", "core", "pods/eviction"},
                                   {kRead, "core", "secrets configmaps"},
                                   {"get", "core", "persistentvolumeclaims persistentvolumes"},
                                   {"get create update patch delete", "coordination.k8s.io", "leases"}};

constexpr BootstrapRule kIssuerDiscovery[] = {
    {"get", "", "",
     "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/"}};

constexpr BootstrapRole kKubernetesRoles[] = {
    {"cluster-admin", kClusterAdmin},
    {"admin", {}, "", "admin"},
    {"edit", {}, "admin", "edit"},
    {"view", {}, "edit", "view"},
    {"system:aggregate-to-admin", kToAdmin, "admin"},
    {"system:aggregate-to-edit", kToEdit, "edit"},
    {"system:aggregate-to-view", kToView, "view"},
    {"system:auth-delegator", kAuthDelegator},
    {"system:basic-user", kBasicUser},
    {"system:discovery", kDiscovery},
    {"system:monitoring", kMonitoring},
    {"system:node", kNode},
    {"system:public-info-viewer", kPublicInfo},
    {"system:service-account-issuer-discovery", kIssuerDiscovery},
};

// There is no node authorizer here: nodes hold the role that says what they may.
constexpr BootstrapBinding kKubernetesBindings[] = {
    {"cluster-admin", "system:masters"},
    {"system:basic-user", "system:authenticated"},
    {"system:discovery", "system:authenticated"},
    {"system:monitoring", "system:monitoring"},
    {"system:public-info-viewer", "system:authenticated system:unauthenticated"},
    {"system:node", "system:nodes"},
    {"system:service-account-issuer-discovery", "system:serviceaccounts"},
};

}  // namespace

BootstrapPolicy kubernetes_policy() { return {kKubernetesRoles, kKubernetesBindings}; }

}  // namespace usbloop::apiserver
