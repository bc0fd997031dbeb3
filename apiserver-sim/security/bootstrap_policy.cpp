#include "apiserver-sim/security/bootstrap_policy.h"

#include "apiserver-sim/security/token_file.h"

namespace usbloop::apiserver {
namespace {

#define READ "get list watch"
#define WRITE "create update patch delete deletecollection"
#define READ_WRITE READ " " WRITE
#define KUBEVIRT "kubevirt.io"
#define SUBRESOURCES "subresources.kubevirt.io"
#define RBAC "rbac.authorization.k8s.io"

// Kubernetes' own, as far as there is something here that they can be about.

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
constexpr BootstrapRule kToAdmin[] = {{"create", "authorization.k8s.io", "localsubjectaccessreviews"},
                                      {READ_WRITE, RBAC, "roles rolebindings"}};
constexpr BootstrapRule kToEdit[] = {
    {READ, "core", "pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy"},
    {"impersonate", "core", "serviceaccounts"},
    {WRITE, "core", "pods pods/attach pods/proxy pods/exec pods/portforward"},
    {"create", "core", "pods/eviction"},
    {WRITE, "core", "serviceaccounts services services/proxy persistentvolumeclaims configmaps secrets events"},
    {"create", "core", "serviceaccounts/token"},
    {READ_WRITE, "coordination.k8s.io", "leases"}};
constexpr BootstrapRule kToView[] = {
    {READ, "core",
     "pods serviceaccounts services services/status endpoints persistentvolumeclaims persistentvolumeclaims/status "
     "configmaps"},
    {READ, "core",
     "limitranges resourcequotas bindings events pods/status resourcequotas/status namespaces/status pods/log"},
    {READ, "core", "namespaces"},
    {READ, "discovery.k8s.io", "endpointslices"}};
constexpr BootstrapRule kNode[] = {{"create", "authentication.k8s.io", "tokenreviews"},
                                   {"create", "authorization.k8s.io", "subjectaccessreviews localsubjectaccessreviews"},
                                   {READ, "core", "services"},
                                   {"create get list watch", "core", "nodes"},
                                   {"update patch", "core", "nodes/status"},
                                   {"update patch", "core", "nodes"},
                                   {"create update patch", "core", "events"},
                                   {READ, "core", "pods"},
                                   {"create delete", "core", "pods"},
                                   {"update patch", "core", "pods/status"},
                                   {"create", "core", "pods/eviction"},
                                   {READ, "core", "secrets configmaps"},
                                   {"get", "core", "persistentvolumeclaims persistentvolumes"},
                                   {"get create update patch delete", "coordination.k8s.io", "leases"}};

// The loop's node, beyond that: launcher-sim is virt-handler and virt-launcher in one, and keeps its pods and VMIs.

constexpr BootstrapRule kLoopNode[] = {{READ " update patch", KUBEVIRT, "virtualmachineinstances"},
                                       {"update patch", "core", "pods"},
                                       {READ, "core", "namespaces"},
                                       {"get", "core", "nodes/status pods/status"},
                                       {"list watch", "coordination.k8s.io", "leases"}};

// KubeVirt's, as virt-operator of v1.6 makes them. usbredir is for those who may edit.

#define SNAPSHOTS "virtualmachinesnapshots virtualmachinesnapshotcontents virtualmachinerestores"
#define INSTANCETYPES                                               \
  "virtualmachineinstancetypes virtualmachineclusterinstancetypes " \
  "virtualmachinepreferences virtualmachineclusterpreferences"
#define STREAMS                                                                                         \
  "virtualmachineinstances/console virtualmachineinstances/vnc virtualmachineinstances/vnc/screenshot " \
  "virtualmachineinstances/portforward virtualmachineinstances/guestosinfo "                            \
  "virtualmachineinstances/filesystemlist virtualmachineinstances/userlist "                            \
  "virtualmachineinstances/sev/fetchcertchain virtualmachineinstances/sev/querylaunchmeasurement "      \
  "virtualmachineinstances/usbredir"
#define ORDERS_TO_VMIS                                                                                         \
  "virtualmachineinstances/pause virtualmachineinstances/unpause virtualmachineinstances/addvolume "           \
  "virtualmachineinstances/removevolume virtualmachineinstances/freeze virtualmachineinstances/unfreeze "      \
  "virtualmachineinstances/softreboot virtualmachineinstances/reset virtualmachineinstances/sev/setupsession " \
  "virtualmachineinstances/sev/injectlaunchsecret"
#define ORDERS_TO_VMS                                                                             \
  "virtualmachines/start virtualmachines/stop virtualmachines/restart virtualmachines/addvolume " \
  "virtualmachines/removevolume virtualmachines/memorydump"
#define MACHINES \
  "virtualmachines virtualmachineinstances virtualmachineinstancepresets virtualmachineinstancereplicasets"
#define EDIT "get delete create update patch list watch"
#define ALL EDIT " deletecollection"

constexpr BootstrapRule kKubevirtDefault[] = {{"get list", KUBEVIRT, "kubevirts"},
                                              {"get list", SUBRESOURCES, "version guestfs"}};
constexpr BootstrapRule kKubevirtAdmin[] = {
    {"get", SUBRESOURCES, STREAMS},
    {"update", SUBRESOURCES, ORDERS_TO_VMIS},
    {"get", SUBRESOURCES, "virtualmachines/expand-spec virtualmachines/portforward"},
    {"update", SUBRESOURCES, ORDERS_TO_VMS},
    {"update", SUBRESOURCES, "expand-vm-spec"},
    {ALL, KUBEVIRT, MACHINES},
    {READ, KUBEVIRT, "virtualmachineinstancemigrations"},
    {ALL, "snapshot.kubevirt.io", SNAPSHOTS},
    {ALL, "export.kubevirt.io", "virtualmachineexports"},
    {ALL, "clone.kubevirt.io", "virtualmachineclones"},
    {ALL, "instancetype.kubevirt.io", INSTANCETYPES},
    {ALL, "pool.kubevirt.io", "virtualmachinepools"},
    {READ, "migrations.kubevirt.io", "migrationpolicies"}};
constexpr BootstrapRule kKubevirtEdit[] = {
    {"get", SUBRESOURCES, STREAMS},
    {"update", SUBRESOURCES, ORDERS_TO_VMIS},
    {"get", SUBRESOURCES, "virtualmachines/expand-spec virtualmachines/portforward"},
    {"update", SUBRESOURCES, ORDERS_TO_VMS},
    {"update", SUBRESOURCES, "expand-vm-spec"},
    {EDIT, KUBEVIRT, MACHINES},
    {READ, KUBEVIRT, "virtualmachineinstancemigrations"},
    {EDIT, "snapshot.kubevirt.io", SNAPSHOTS},
    {EDIT, "export.kubevirt.io", "virtualmachineexports"},
    {EDIT, "clone.kubevirt.io", "virtualmachineclones"},
    {EDIT, "instancetype.kubevirt.io", INSTANCETYPES},
    {EDIT, "pool.kubevirt.io", "virtualmachinepools"},
    {"get list", KUBEVIRT, "kubevirts"},
    {READ, "migrations.kubevirt.io", "migrationpolicies"}};
constexpr BootstrapRule kKubevirtView[] = {
    {"get list", KUBEVIRT, "kubevirts"},
    {"get", SUBRESOURCES,
     "virtualmachines/expand-spec virtualmachineinstances/guestosinfo virtualmachineinstances/filesystemlist "
     "virtualmachineinstances/userlist virtualmachineinstances/sev/fetchcertchain "
     "virtualmachineinstances/sev/querylaunchmeasurement"},
    {"update", SUBRESOURCES, "expand-vm-spec"},
    {READ, KUBEVIRT, MACHINES " virtualmachineinstancemigrations"},
    {READ, "snapshot.kubevirt.io", SNAPSHOTS},
    {READ, "export.kubevirt.io", "virtualmachineexports"},
    {READ, "clone.kubevirt.io", "virtualmachineclones"},
    {READ, "instancetype.kubevirt.io", INSTANCETYPES},
    {READ, "pool.kubevirt.io", "virtualmachinepools"},
    {READ, "migrations.kubevirt.io", "migrationpolicies"}};
constexpr BootstrapRule kKubevirtMigrate[] = {{"update", SUBRESOURCES, "virtualmachines/migrate"},
                                              {ALL, KUBEVIRT, "virtualmachineinstancemigrations"}};
constexpr BootstrapRule kInstancetypeView[] = {
    {READ, "instancetype.kubevirt.io", "virtualmachineclusterinstancetypes virtualmachineclusterpreferences"}};

constexpr BootstrapRole kRoles[] = {
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
    {"usbloop:node", kLoopNode},
    {"kubevirt.io:default", kKubevirtDefault, "", "", false},
    {"kubevirt.io:admin", kKubevirtAdmin, "admin", "", false},
    {"kubevirt.io:edit", kKubevirtEdit, "edit", "", false},
    {"kubevirt.io:view", kKubevirtView, "view", "", false},
    {"kubevirt.io:migrate", kKubevirtMigrate, "", "", false},
    {"instancetype.kubevirt.io:view", kInstancetypeView, "", "", false},
};

// There is no node authorizer here: nodes hold the roles that say what they may.
constexpr BootstrapBinding kBindings[] = {
    {"cluster-admin", "system:masters"},
    {"system:basic-user", "system:authenticated"},
    {"system:discovery", "system:authenticated"},
    {"system:monitoring", "system:monitoring"},
    {"system:public-info-viewer", "system:authenticated system:unauthenticated"},
    {"system:node", "system:nodes"},
    {"usbloop:node", "system:nodes"},
    {"kubevirt.io:default", "system:authenticated"},
    {"instancetype.kubevirt.io:view", "system:authenticated"},
    {"view", kViewersGroup, kViewersGroup},
    {"edit", kEditorsGroup, kEditorsGroup},
};

}  // namespace

std::span<const BootstrapRole> bootstrap_roles() { return kRoles; }
std::span<const BootstrapBinding> bootstrap_bindings() { return kBindings; }

}  // namespace usbloop::apiserver
