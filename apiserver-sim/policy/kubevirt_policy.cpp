#include "apiserver-sim/policy/kubevirt_policy.h"

#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/kinds/vmi.h"

namespace usbloop::apiserver {
namespace {

constexpr std::string_view kView = "get list watch";
constexpr std::string_view kEdit = "get delete create update patch list watch";
constexpr std::string_view kAll = "get delete create update patch list watch deletecollection";
constexpr std::string_view kSnapshots = "virtualmachinesnapshots virtualmachinesnapshotcontents virtualmachinerestores";
constexpr std::string_view kInstancetypes =
    "virtualmachineinstancetypes virtualmachineclusterinstancetypes "
    "virtualmachinepreferences virtualmachineclusterpreferences";
constexpr std::string_view kBackups = "virtualmachinebackups virtualmachinebackuptrackers";
constexpr std::string_view kStreams =
    "virtualmachineinstances/console virtualmachineinstances/vnc virtualmachineinstances/portforward "
    "virtualmachineinstances/guestosinfo virtualmachineinstances/filesystemlist virtualmachineinstances/userlist "
    "virtualmachineinstances/sev/fetchcertchain virtualmachineinstances/sev/querylaunchmeasurement "
    "virtualmachineinstances/usbredir virtualmachines/objectgraph virtualmachineinstances/objectgraph";
constexpr std::string_view kOrdersToVmis =
    "virtualmachineinstances/pause virtualmachineinstances/unpause virtualmachineinstances/addvolume "
    "virtualmachineinstances/removevolume virtualmachineinstances/freeze virtualmachineinstances/unfreeze "
    "virtualmachineinstances/softreboot virtualmachineinstances/reset virtualmachineinstances/sev/setupsession "
    "virtualmachineinstances/sev/injectlaunchsecret virtualmachineinstances/evacuate/cancel";
constexpr std::string_view kOrdersToVms =
    "virtualmachines/start virtualmachines/stop virtualmachines/restart virtualmachines/addvolume "
    "virtualmachines/removevolume virtualmachines/memorydump virtualmachines/evacuate/cancel";
constexpr std::string_view kMachines =
    "virtualmachines virtualmachineinstances virtualmachineinstancepresets virtualmachineinstancereplicasets";
constexpr std::string_view kMachinesAndMigrations =
    "virtualmachines virtualmachineinstances virtualmachineinstancepresets virtualmachineinstancereplicasets "
    "virtualmachineinstancemigrations";

constexpr BootstrapRule kKubevirtDefault[] = {{"get list", kKubevirtGroup, "kubevirts"},
                                              {"get list", kSubresourceGroup, "version guestfs"}};
// Who may only edit sees no screen without those who sit at it.
constexpr BootstrapRule kKubevirtAdmin[] = {
    {"get", kSubresourceGroup, kStreams},
    {"get", kSubresourceGroup, "virtualmachineinstances/vnc/screenshot"},
    {"update", kSubresourceGroup, kOrdersToVmis},
    {"get", kSubresourceGroup, "virtualmachines/expand-spec virtualmachines/portforward"},
    {"update", kSubresourceGroup, kOrdersToVms},
    {"update", kSubresourceGroup, "expand-vm-spec"},
    {kAll, kKubevirtGroup, kMachines},
    {kView, kKubevirtGroup, "virtualmachineinstancemigrations"},
    {kAll, "snapshot.kubevirt.io", kSnapshots},
    {kAll, "backup.kubevirt.io", kBackups},
    {kAll, "plugin.kubevirt.io", "plugins"},
    {kAll, "export.kubevirt.io", "virtualmachineexports"},
    {kAll, "clone.kubevirt.io", "virtualmachineclones"},
    {kAll, "instancetype.kubevirt.io", kInstancetypes},
    {kAll, "pool.kubevirt.io", "virtualmachinepools"},
    {kView, "migrations.kubevirt.io", "migrationpolicies"}};
constexpr BootstrapRule kKubevirtEdit[] = {
    {"get", kSubresourceGroup, kStreams},
    {"update", kSubresourceGroup, kOrdersToVmis},
    {"get", kSubresourceGroup, "virtualmachines/expand-spec virtualmachines/portforward"},
    {"update", kSubresourceGroup, kOrdersToVms},
    {"update", kSubresourceGroup, "expand-vm-spec"},
    {kEdit, kKubevirtGroup, kMachines},
    {kView, kKubevirtGroup, "virtualmachineinstancemigrations"},
    {kEdit, "snapshot.kubevirt.io", kSnapshots},
    {kEdit, "backup.kubevirt.io", kBackups},
    {kEdit, "export.kubevirt.io", "virtualmachineexports"},
    {kEdit, "clone.kubevirt.io", "virtualmachineclones"},
    {kEdit, "instancetype.kubevirt.io", kInstancetypes},
    {kEdit, "pool.kubevirt.io", "virtualmachinepools"},
    {"get list", kKubevirtGroup, "kubevirts"},
    {kView, "migrations.kubevirt.io", "migrationpolicies"}};
constexpr BootstrapRule kKubevirtView[] = {
    {"get list", kKubevirtGroup, "kubevirts"},
    {"get", kSubresourceGroup,
     "virtualmachines/expand-spec virtualmachineinstances/guestosinfo virtualmachineinstances/filesystemlist "
     "virtualmachineinstances/userlist virtualmachineinstances/sev/fetchcertchain "
     "virtualmachineinstances/sev/querylaunchmeasurement virtualmachines/objectgraph "
     "virtualmachineinstances/objectgraph"},
    {"update", kSubresourceGroup, "expand-vm-spec"},
    {kView, kKubevirtGroup, kMachinesAndMigrations},
    {kView, "snapshot.kubevirt.io", kSnapshots},
    {kView, "backup.kubevirt.io", kBackups},
    {kView, "export.kubevirt.io", "virtualmachineexports"},
    {kView, "clone.kubevirt.io", "virtualmachineclones"},
    {kView, "instancetype.kubevirt.io", kInstancetypes},
    {kView, "pool.kubevirt.io", "virtualmachinepools"},
    {kView, "migrations.kubevirt.io", "migrationpolicies"},
    {kView, "plugin.kubevirt.io", "plugins"}};
constexpr BootstrapRule kKubevirtMigrate[] = {{"update", kSubresourceGroup, "virtualmachines/migrate"},
                                              {kAll, kKubevirtGroup, "virtualmachineinstancemigrations"}};
constexpr BootstrapRule kInstancetypeView[] = {
    {kView, "instancetype.kubevirt.io", "virtualmachineclusterinstancetypes virtualmachineclusterpreferences"}};

constexpr BootstrapRole kKubevirtRoles[] = {
    {"kubevirt.io:default", kKubevirtDefault},   {"kubevirt.io:admin", kKubevirtAdmin, "admin"},
    {"kubevirt.io:edit", kKubevirtEdit, "edit"}, {"kubevirt.io:view", kKubevirtView, "view"},
    {"kubevirt.io:migrate", kKubevirtMigrate},   {"instancetype.kubevirt.io:view", kInstancetypeView},
};

constexpr BootstrapBinding kKubevirtBindings[] = {
    {"kubevirt.io:default", "system:authenticated"},
    {"instancetype.kubevirt.io:view", "system:authenticated"},
};

}  // namespace

BootstrapPolicy kubevirt_policy() { return {kKubevirtRoles, kKubevirtBindings, "kubevirt.io", true}; }

}  // namespace usbloop::apiserver
