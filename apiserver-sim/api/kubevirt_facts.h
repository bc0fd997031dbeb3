#pragma once

#include <map>
#include <set>
#include <string>

#include "kube-sim/schema/kind_description.h"
#include "kube-sim/schema/schema.h"

// What KubeVirt's CustomResourceDefinitions say, as kubevirt_constraints.txt and kubevirt_paths.txt write it down.
namespace usbloop::apiserver {

/// Of each kind: "PATH CONSTRAINT", or paths.
using KindFacts = std::map<std::string, std::set<std::string>>;

/// Reads kubevirt_constraints.txt.
KindFacts read_constraints(const std::string& file);
/// Reads kubevirt_paths.txt.
KindFacts read_paths(const std::string& file);

/// The constraints of a kind that we serve, in the same words. Metadata, apiVersion and kind are left out.
std::set<std::string> constraints_of(const Schema& kind, const KindDescription& description);

/// Whether the schema has the field at that path.
bool knows(const Schema& schema, const std::string& path);

}  // namespace usbloop::apiserver
