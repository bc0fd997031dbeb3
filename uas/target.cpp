#include "uas/target.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace usbloop::uas {
namespace {

using usbredir::InReply;
using usbredir::OutReply;
using usbredir::TransferStatus;

constexpr std::uint8_t kIllegalRequest = 0x05;

Outcome illegal(std::uint8_t code) { return {Outcome::kCheckCondition, fixed_sense(kIllegalRequest, code, 0)}; }

}  // namespace

void Target::restart(std::uint32_t streams) {
  abort_all();
  answers_.clear();
  streams_ = streams;
}

void Target::reset() {
  restart(0);
  unit_.reset();
}

bool Target::may_be_answered(std::uint16_t tag) const {
  // Tag 0 is no tag, and neither is ffff (UAS-2, 6.2.1). The answer to a tag without a stream would reach nobody.
  return tag != 0 && tag != 0xffff && (streams_ == 0 || tag <= streams_);
}

bool Target::has_task(std::uint16_t tag) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [tag](const Task& task) { return task.tag == tag; });
}

bool Target::is_answered(std::uint32_t tag) const {
  return std::any_of(answers_.begin(), answers_.end(),
                     [tag](const Answer& answer) { return answer.tag == tag && !answer.ready; });
}

bool Target::in_use(std::uint16_t tag) const { return has_task(tag) || is_answered(tag); }

Target::Task* Target::task_of(std::uint32_t stream) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.tag == stream; });
  return found == tasks_.end() ? nullptr : &*found;
}

OutReply Target::command(std::span<const std::byte> bytes) {
  const auto unit = read_unit(bytes);
  const std::uint16_t tag = std::visit([](const auto& any) { return any.tag; }, unit);
  if (!may_be_answered(tag) || tasks_.size() + answers_.size() >= kMostTags) {
    return OutReply::failed(TransferStatus::stall);
  }
  if (std::holds_alternative<UnknownUnit>(unit)) {
    respond(tag, Response::invalid_unit);
  } else if (in_use(tag)) {
    // Host and device have lost the thread: no command of this host goes on (SAM-5, 5.10).
    abort_all();
    respond(tag, Response::overlapped_tag);
  } else if (const auto* command = std::get_if<CommandUnit>(&unit)) {
    take(*command);
  } else {
    manage(std::get<TaskManagementUnit>(unit));
  }
  advance();
  return OutReply::taken(bytes.size());
}

void Target::take(const CommandUnit& command) {
  constexpr std::uint8_t kNoSuchOperation = 0x20, kNoSuchLogicalUnit = 0x25;
  if (command.logical_unit != 0 || command.long_block) {
    const Outcome refused = illegal(command.logical_unit != 0 ? kNoSuchLogicalUnit : kNoSuchOperation);
    answers_.push_back({command.tag, false, status_unit(command.tag, refused)});
    return;
  }
  Task task{command.tag, command.block};
  // The first may have begun, and keeps its place.
  const bool first = command.head_of_queue && !tasks_.empty();
  tasks_.insert(first ? tasks_.begin() + 1 : tasks_.end(), task);
}

void Target::manage(const TaskManagementUnit& unit) {
  if (unit.logical_unit != 0) return respond(unit.tag, Response::incorrect_logical_unit);
  switch (unit.function) {
    case TaskManagementUnit::kAbortTask: abort(unit.managed_tag); return respond(unit.tag, Response::complete);
    case TaskManagementUnit::kAbortTaskSet:
    case TaskManagementUnit::kClearTaskSet: abort_all(); return respond(unit.tag, Response::complete);
    case TaskManagementUnit::kLogicalUnitReset:
    case TaskManagementUnit::kNexusReset:
      abort_all();
      unit_.reset();
      return respond(unit.tag, Response::complete);
    case TaskManagementUnit::kQueryTask:
      return respond(unit.tag, has_task(unit.managed_tag) ? Response::succeeded : Response::complete);
    case TaskManagementUnit::kQueryTaskSet:
      return respond(unit.tag, tasks_.empty() ? Response::complete : Response::succeeded);
    case TaskManagementUnit::kQueryAsyncEvent: return respond(unit.tag, Response::complete);
    default: return respond(unit.tag, Response::not_supported);
  }
}

void Target::respond(std::uint16_t tag, Response response) {
  answers_.push_back({tag, false, response_unit(tag, response)});
}

void Target::abort(std::uint16_t tag) {
  const auto task = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task& each) { return each.tag == tag; });
  if (task == tasks_.end()) return;
  if (task->phase != Task::Phase::queued) unit_.abort();
  tasks_.erase(task);
  std::erase_if(answers_, [tag](const Answer& answer) { return answer.tag == tag && answer.ready; });
}

void Target::abort_all() {
  while (!tasks_.empty()) abort(tasks_.back().tag);
}

void Target::advance() {
  while (!tasks_.empty() && step(tasks_.front())) {
  }
}

/// One step of the first task; false when it waits for something.
bool Target::step(Task& task) {
  switch (task.phase) {
    case Task::Phase::queued: {
      const Movement offered = streams_ != 0 && offered_ ? offered_(task.tag) : Movement{};
      const auto movement = unit_.begin(task.block, offered);
      if (!movement) return false;
      task.direction = movement->direction;
      task.left = movement->bytes;
      const bool moves = task.direction != Direction::none && task.left > 0;
      task.phase = moves ? Task::Phase::data : Task::Phase::ending;
      if (moves && streams_ == 0) answers_.push_back({task.tag, true, ready_unit(task.tag, task.direction)});
      return !moves;
    }
    case Task::Phase::data: return false;
    case Task::Phase::ending: {
      const auto outcome = unit_.end();
      if (!outcome) return false;
      answers_.push_back({task.tag, false, status_unit(task.tag, *outcome)});
      tasks_.pop_front();
      return true;
    }
  }
  return false;
}

InReply Target::status(std::uint32_t stream, std::span<std::byte> room) {
  advance();
  const auto answer = streams_ == 0 ? answers_.begin()
                                    : std::find_if(answers_.begin(), answers_.end(),
                                                   [&](const Answer& each) { return each.tag == stream; });
  if (answer == answers_.end()) return InReply::not_yet();
  const std::size_t size = std::min(room.size(), answer->bytes.size());
  std::copy_n(answer->bytes.begin(), size, room.begin());
  answers_.erase(answer);
  return InReply::data(size);
}

/// The task whose data in this direction is next on `stream`. Without one, `waits` says whether there may be one later.
Target::Task* Target::moving(std::uint32_t stream, Direction direction, bool& waits) {
  advance();
  waits = false;
  Task* const task = streams_ != 0 ? task_of(stream) : tasks_.empty() ? nullptr : &tasks_.front();
  if (task != nullptr && task->phase == Task::Phase::data && task->direction == direction) return task;
  waits = streams_ != 0 && (task == nullptr ? !is_answered(stream) : task->phase == Task::Phase::queued);
  return nullptr;
}

void Target::moved(Task& task, std::size_t size, bool was_last) {
  task.left -= size;
  if (was_last || task.left == 0) task.phase = Task::Phase::ending;
  advance();
}

InReply Target::data_in(std::uint32_t stream, std::span<std::byte> room) {
  bool waits = false;
  Task* const task = moving(stream, Direction::in, waits);
  if (task == nullptr) {
    if (waits) return InReply::not_yet();
    // With streams the command has ended, or moves nothing this way; without them nobody has said READ READY.
    return streams_ != 0 ? InReply::data(0) : InReply::stall();
  }
  room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), task->left)));
  if (room.empty()) return InReply::data(0);
  const auto size = unit_.produce(room);
  if (!size) return InReply::not_yet();
  moved(*task, *size, *size < room.size());
  return InReply::data(*size);
}

OutReply Target::data_out(std::uint32_t stream, std::span<const std::byte> data) {
  bool waits = false;
  Task* const task = moving(stream, Direction::out, waits);
  if (task == nullptr) {
    if (waits) return OutReply::not_yet();
    return streams_ != 0 ? OutReply::taken(0) : OutReply::failed(TransferStatus::stall);
  }
  data = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), task->left)));
  if (data.empty()) return OutReply::taken(0);
  const auto size = unit_.accept(data);
  if (!size) return OutReply::not_yet();
  moved(*task, *size, *size < data.size());
  return OutReply::taken(*size);
}

}  // namespace usbloop::uas
