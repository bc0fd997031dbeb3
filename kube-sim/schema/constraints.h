#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/kube/status.h"
#include "kube-sim/schema/schema.h"

// What a schema says of a value beyond its type, in the words of the API server's validation of custom resources:
// docs/reference/wire.md section 15.
namespace usbloop::apiserver {

/// Adds what is wrong with a value that has the type of the schema: its range, its length, its text, its number of
/// items. Not what is wrong with the items.
void check_constraints(const Schema& schema, const nlohmann::json& value, const std::string& path,
                       std::vector<kube::StatusCause>& causes);

/// Adds each item of a list that equals an earlier one, or has the keys of an earlier one, by how the list is merged.
void find_twins(const SchemaField& field, const nlohmann::json& list, const std::string& path,
                std::vector<kube::StatusCause>& causes);

/// Adds the rules of a field that its value, which has the type of the field, breaks.
void check_rules(const SchemaField& field, const nlohmann::json& value, const std::string& path,
                 std::vector<kube::StatusCause>& causes);

/// Whether some field, at whatever depth, has rules. The types may not hold themselves.
bool has_rules(const Schema& schema);

/// Whether one of the causes keeps the API server from looking at rules.
bool keeps_from_rules(const std::vector<kube::StatusCause>& causes);

/// The cause by which the API server says that it has not looked at rules.
kube::StatusCause rules_not_checked();

}  // namespace usbloop::apiserver
