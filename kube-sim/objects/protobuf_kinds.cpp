#include "kube-sim/objects/protobuf_kinds.h"

#include <map>
#include <string>

namespace usbloop::apiserver::proto {
namespace {

const Message kOwnerReference = {{1, "kind"},
                                 {3, "name"},
                                 {4, "uid"},
                                 {5, "apiVersion"},
                                 {6, "controller", Type::boolean},
                                 {7, "blockOwnerDeletion", Type::boolean}};

const Message kObjectMeta = {{1, "name"},
                             {2, "generateName"},
                             {3, "namespace"},
                             {5, "uid"},
                             {6, "resourceVersion"},
                             {8, "creationTimestamp", Type::time},
                             {11, "labels", Type::map},
                             {12, "annotations", Type::map},
                             {13, "ownerReferences", Type::messages, &kOwnerReference},
                             {14, "finalizers", Type::texts}};

const Message kObjectReference = {{1, "kind"},       {2, "namespace"},       {3, "name"},     {4, "uid"},
                                  {5, "apiVersion"}, {6, "resourceVersion"}, {7, "fieldPath"}};

const Message kNamespaceSpec = {{1, "finalizers", Type::texts}};
const Message kNamespaceStatus = {{1, "phase"}};
const Message kNamespace = {{1, "metadata", Type::message, &kObjectMeta},
                            {2, "spec", Type::message, &kNamespaceSpec},
                            {3, "status", Type::message, &kNamespaceStatus}};

const Message kEventSource = {{1, "component"}, {2, "host"}};
const Message kEventSeries = {{1, "count", Type::count}, {2, "lastObservedTime", Type::micro_time}};
const Message kEvent = {{1, "metadata", Type::message, &kObjectMeta},
                        {2, "involvedObject", Type::message, &kObjectReference},
                        {3, "reason"},
                        {4, "message"},
                        {5, "source", Type::message, &kEventSource},
                        {6, "firstTimestamp", Type::time},
                        {7, "lastTimestamp", Type::time},
                        {8, "count", Type::count},
                        {9, "type"},
                        {10, "eventTime", Type::micro_time},
                        {11, "series", Type::message, &kEventSeries},
                        {12, "action"},
                        {13, "related", Type::message, &kObjectReference},
                        {14, "reportingComponent"},
                        {15, "reportingInstance"}};

const Message kLeaseSpec = {{1, "holderIdentity"},
                            {2, "leaseDurationSeconds", Type::integer},
                            {3, "acquireTime", Type::micro_time},
                            {4, "renewTime", Type::micro_time},
                            {5, "leaseTransitions", Type::integer},
                            {6, "strategy"},
                            {7, "preferredHolder"}};
const Message kLease = {{1, "metadata", Type::message, &kObjectMeta}, {2, "spec", Type::message, &kLeaseSpec}};

const Message kConfigMap = {
    {1, "metadata", Type::message, &kObjectMeta}, {2, "data", Type::map}, {4, "immutable", Type::boolean}};

const Message kSecret = {{1, "metadata", Type::message, &kObjectMeta},
                         {2, "data", Type::bytes_map},
                         {3, "type"},
                         {4, "stringData", Type::map},
                         {5, "immutable", Type::boolean}};

const Message kLocalReference = {{1, "name"}};
const Message kServiceAccount = {{1, "metadata", Type::message, &kObjectMeta},
                                 {2, "secrets", Type::messages, &kObjectReference},
                                 {3, "imagePullSecrets", Type::messages, &kLocalReference},
                                 {4, "automountServiceAccountToken", Type::boolean}};
const Message kBoundReference = {{1, "kind"}, {2, "apiVersion"}, {3, "name"}, {4, "uid"}};
const Message kTokenRequestSpec = {{1, "audiences", Type::texts},
                                   {3, "boundObjectRef", Type::message, &kBoundReference},
                                   {4, "expirationSeconds", Type::integer}};
const Message kTokenRequest = {{1, "metadata", Type::message, &kObjectMeta},
                               {2, "spec", Type::message, &kTokenRequestSpec}};
const Message kPriorityClass = {{1, "metadata", Type::message, &kObjectMeta},
                                {2, "value", Type::integer},
                                {3, "globalDefault", Type::boolean},
                                {4, "description"},
                                {5, "preemptionPolicy"}};

const Message kPolicyRule = {{1, "verbs", Type::texts},
                             {2, "apiGroups", Type::texts},
                             {3, "resources", Type::texts},
                             {4, "resourceNames", Type::texts},
                             {5, "nonResourceURLs", Type::texts}};
const Message kRole = {{1, "metadata", Type::message, &kObjectMeta}, {2, "rules", Type::messages, &kPolicyRule}};

const Message kSelectorRequirement = {{1, "key"}, {2, "operator"}, {3, "values", Type::texts}};
const Message kLabelSelector = {{1, "matchLabels", Type::map},
                                {2, "matchExpressions", Type::messages, &kSelectorRequirement}};

const Message kServicePort = {{1, "name"},
                              {2, "protocol"},
                              {3, "port", Type::integer},
                              {4, "targetPort", Type::int_or_string},
                              {5, "nodePort", Type::count},
                              {6, "appProtocol"}};
const Message kServiceSpec = {{1, "ports", Type::messages, &kServicePort},
                              {2, "selector", Type::map},
                              {3, "clusterIP"},
                              {4, "type"},
                              {5, "externalIPs", Type::texts},
                              {7, "sessionAffinity"},
                              {8, "loadBalancerIP"},
                              {9, "loadBalancerSourceRanges", Type::texts},
                              {10, "externalName"},
                              {11, "externalTrafficPolicy"},
                              {12, "healthCheckNodePort", Type::count},
                              {13, "publishNotReadyAddresses", Type::flag},
                              {17, "ipFamilyPolicy"},
                              {18, "clusterIPs", Type::texts},
                              {19, "ipFamilies", Type::texts},
                              {20, "allocateLoadBalancerNodePorts", Type::boolean},
                              {21, "loadBalancerClass"},
                              {22, "internalTrafficPolicy"}};
const Message kService = {{1, "metadata", Type::message, &kObjectMeta}, {2, "spec", Type::message, &kServiceSpec}};

const Message kBudgetSpec = {{1, "minAvailable", Type::int_or_string},
                             {2, "selector", Type::message, &kLabelSelector},
                             {3, "maxUnavailable", Type::int_or_string},
                             {4, "unhealthyPodEvictionPolicy"}};
const Message kBudget = {{1, "metadata", Type::message, &kObjectMeta}, {2, "spec", Type::message, &kBudgetSpec}};

const Message kAggregationRule = {{1, "clusterRoleSelectors", Type::messages, &kLabelSelector}};
const Message kClusterRole = {{1, "metadata", Type::message, &kObjectMeta},
                              {2, "rules", Type::messages, &kPolicyRule},
                              {3, "aggregationRule", Type::message, &kAggregationRule}};

const Message kSubject = {{1, "kind"}, {2, "apiGroup"}, {3, "name"}, {4, "namespace"}};
const Message kRoleRef = {{1, "apiGroup"}, {2, "kind"}, {3, "name"}};
const Message kBinding = {{1, "metadata", Type::message, &kObjectMeta},
                          {2, "subjects", Type::messages, &kSubject},
                          {3, "roleRef", Type::message, &kRoleRef}};

const Message kResourceAttributes = {{1, "namespace"}, {2, "verb"},        {3, "group"}, {4, "version"},
                                     {5, "resource"},  {6, "subresource"}, {7, "name"}};
const Message kNonResourceAttributes = {{1, "path"}, {2, "verb"}};
const Message kSelfAccessSpec = {{1, "resourceAttributes", Type::message, &kResourceAttributes},
                                 {2, "nonResourceAttributes", Type::message, &kNonResourceAttributes}};
const Message kAccessSpec = {{1, "resourceAttributes", Type::message, &kResourceAttributes},
                             {2, "nonResourceAttributes", Type::message, &kNonResourceAttributes},
                             {3, "user"},
                             {4, "groups", Type::texts},
                             {6, "uid"}};
const Message kRulesSpec = {{1, "namespace"}};
const Message kSelfAccessReview = {{1, "metadata", Type::message, &kObjectMeta},
                                   {2, "spec", Type::message, &kSelfAccessSpec}};
const Message kAccessReview = {{1, "metadata", Type::message, &kObjectMeta}, {2, "spec", Type::message, &kAccessSpec}};
const Message kRulesReview = {{1, "metadata", Type::message, &kObjectMeta}, {2, "spec", Type::message, &kRulesSpec}};
const Message kSelfReview = {{1, "metadata", Type::message, &kObjectMeta}};

const Message kPreconditions = {{1, "uid"}, {2, "resourceVersion"}};
const Message kDeleteOptions = {{1, "gracePeriodSeconds", Type::integer},
                                {2, "preconditions", Type::message, &kPreconditions},
                                {3, "orphanDependents", Type::boolean},
                                {4, "propagationPolicy"},
                                {5, "dryRun", Type::texts}};

const Message kEviction = {{1, "metadata", Type::message, &kObjectMeta},
                           {2, "deleteOptions", Type::message, &kDeleteOptions}};

}  // namespace

const Message* message_of_kind(std::string_view kind) {
  static const std::map<std::string, const Message*, std::less<>> kKinds = {
      {"ClusterRole", &kClusterRole},
      {"ClusterRoleBinding", &kBinding},
      {"ConfigMap", &kConfigMap},
      {"DeleteOptions", &kDeleteOptions},
      {"Event", &kEvent},
      {"Eviction", &kEviction},
      {"Lease", &kLease},
      {"LocalSubjectAccessReview", &kAccessReview},
      {"Namespace", &kNamespace},
      {"PodDisruptionBudget", &kBudget},
      {"PriorityClass", &kPriorityClass},
      {"Role", &kRole},
      {"RoleBinding", &kBinding},
      {"Secret", &kSecret},
      {"SelfSubjectAccessReview", &kSelfAccessReview},
      {"SelfSubjectReview", &kSelfReview},
      {"SelfSubjectRulesReview", &kRulesReview},
      {"Service", &kService},
      {"ServiceAccount", &kServiceAccount},
      {"SubjectAccessReview", &kAccessReview},
      {"TokenRequest", &kTokenRequest}};
  const auto found = kKinds.find(kind);
  return found == kKinds.end() ? nullptr : found->second;
}

}  // namespace usbloop::apiserver::proto
