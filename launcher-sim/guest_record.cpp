#include "launcher-sim/guest_record.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/json_at.h"
#include "common/json_text.h"
#include "common/process.h"
#include "common/process_watch.h"
#include "common/small_file.h"
#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxRecord = 64 * 1024;
constexpr const char* kEndMark = "ending";

/// The parts of a VMI that a guest's spec is read from, so that one reader with its checks serves both.
json vmi_of(const GuestSpec& spec) {
  json devices = json::object();
  if (!spec.graphics) devices["autoattachGraphicsDevice"] = false;
  if (spec.client_passthrough) devices["clientPassthrough"] = json::object();
  return {{"metadata", {{"namespace", spec.vmi_namespace}, {"name", spec.name}, {"uid", spec.uid}}},
          {"spec",
           {{"terminationGracePeriodSeconds", spec.grace.count()},
            {"hostname", spec.hostname},
            {"domain",
             {{"memory", {{"guest", std::to_string(spec.memory_mib) + "Mi"}}},
              {"cpu", {{"cores", spec.cores}}},
              {"devices", devices}}}}}};
}

}  // namespace

Result<> write_record(const std::string& directory, const GuestRecord& record) {
  json content = vmi_of(record.spec);
  if (record.clone) content["clone"] = *record.clone == CloneState::done ? "done" : "being made";
  if (record.start_time) content["process"] = {{"startTime", *record.start_time}};
  const fs::path path = fs::path(directory) / kRecordFile;
  const fs::path fresh = path.string() + ".new";
  std::ofstream file(fresh);
  file << content.dump(2) << "\n";
  file.close();
  std::error_code code;
  if (file) fs::rename(fresh, path, code);
  if (!file || code) return make_error(ErrorKind::internal, "write", path, code ? code.message() : "write error");
  return {};
}

Result<GuestRecord> read_record(const std::string& directory) {
  const std::string path = directory + "/" + kRecordFile;
  const json content = parse_json_object(read_small_file(path, kMaxRecord).value_or("")).value_or(json());
  if (content.is_null()) return make_error(ErrorKind::invalid, "read", path, "no record of a guest");
  auto spec = guest_spec(content);
  if (!spec) return tl::unexpected(spec.error());
  if (fs::path(directory).filename() != spec->uid) {
    return make_error(ErrorKind::invalid, "read", path, "the record of another guest");
  }
  GuestRecord record;
  record.spec = std::move(*spec);
  // What is not "done" is not whole.
  if (const std::string clone = text_at(content, "/clone"); !clone.empty()) {
    record.clone = clone == "done" ? CloneState::done : CloneState::being_made;
  }
  const json::json_pointer start_time("/process/startTime");
  if (content.contains(start_time) && content.at(start_time).is_number_unsigned()) {
    record.start_time = content.at(start_time).get<std::uint64_t>();
  }
  return record;
}

void mark_announced_end(const std::string& directory) { std::ofstream(directory + "/" + kEndMark) << "SHUTDOWN\n"; }

void unmark_announced_end(const std::string& directory) {
  std::error_code ignored;  // without a mark there is nothing to take away
  fs::remove(directory + "/" + kEndMark, ignored);
}

bool has_announced_end(const std::string& directory) {
  std::error_code ignored;
  return fs::exists(directory + "/" + kEndMark, ignored);
}

std::optional<pid_t> read_pid(const std::string& directory) {
  std::ifstream file(directory + "/" + kPidFile);
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 1) return std::nullopt;
  return pid;
}

bool is_recorded_process(pid_t pid, const std::string& directory, const GuestRecord& record) {
  if (record.start_time) {
    const auto start_time = process_start_time(pid);
    return start_time && *start_time == *record.start_time;
  }
  // QEMU's working directory is the guest's folder; no other process works there.
  std::error_code code;
  const fs::path actual = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd", code);
  return !code && fs::equivalent(actual, directory, code) && !code;
}

}  // namespace usbloop::launcher
