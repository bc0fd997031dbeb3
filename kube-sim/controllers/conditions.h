#pragma once

#include "common/kube/conditions.h"

namespace usbloop::apiserver {

using kube::Condition;
using kube::ConditionForm;
using kube::find_condition;
using kube::remove_condition;
using kube::set_condition;

}  // namespace usbloop::apiserver
