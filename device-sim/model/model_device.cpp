#include "device-sim/model/model_device.h"

#include <algorithm>
#include <utility>

namespace usbloop::device_sim {

ModelDevice::ModelDevice(std::string socket, std::unique_ptr<ModelLink> link)
    : socket_(std::move(socket)), hello_(link->hello()), link_(std::move(link)) {}

Result<std::unique_ptr<Device>> ModelDevice::make(const std::string& socket) {
  auto link = ModelLink::connect(socket);
  if (!link) return tl::unexpected(link.error());
  return std::unique_ptr<Device>(new ModelDevice(socket, std::move(*link)));
}

ModelDevice::Question& ModelDevice::question(std::uint8_t endpoint) {
  return questions_.at((endpoint & 0x0fU) + ((endpoint & 0x80U) != 0 ? 16U : 0U));
}

void ModelDevice::forget_questions() {
  for (Question& one : questions_) {
    if (one.id) link_->forget(*one.id);
    one = {};
  }
  if (control_) link_->forget(*control_);
  control_.reset();
}

void ModelDevice::reset() {
  forget_questions();
  link_->send(reset_line());
}

void ModelDevice::select(std::uint8_t interface, std::uint8_t alternate) {
  forget_questions();
  link_->send(select_line(interface, alternate));
}

/// The host offers a request again until it has an answer.
ControlReply ModelDevice::request(const SetupPacket& setup, std::span<const std::byte> data) {
  if (control_) {
    if (auto answer = link_->take(*control_)) {
      control_.reset();
      return {answer->status, std::move(answer->data)};
    }
    return ControlReply::not_yet();
  }
  control_ = ++last_id_;
  link_->send(control_line(*control_, setup, data), control_);
  return ControlReply::not_yet();
}

OutReply ModelDevice::out(Pipe pipe, std::span<const std::byte> data) {
  Question& open = question(pipe.endpoint);
  if (!open.id) {
    open.id = ++last_id_;
    link_->send(out_line(*open.id, pipe.endpoint, data), open.id);
    return OutReply::not_yet();
  }
  const auto answer = link_->take(*open.id);
  if (!answer) return OutReply::not_yet();
  open.id.reset();
  return answer->status == TransferStatus::success ? OutReply::taken(data.size()) : OutReply::failed(answer->status);
}

InReply ModelDevice::in(Pipe pipe, std::span<std::byte> room) {
  Question& open = question(pipe.endpoint);
  if (open.rest.empty()) {
    if (!open.id) {
      open.id = ++last_id_;
      link_->send(in_line(*open.id, pipe.endpoint, std::min(room.size(), kMostModelData)), open.id);
      return InReply::not_yet();
    }
    auto answer = link_->take(*open.id);
    if (!answer) return InReply::not_yet();
    open.id.reset();
    if (answer->status == TransferStatus::stall) return InReply::stall();
    if (answer->status != TransferStatus::success) return InReply::failed(answer->status);
    open.rest = std::move(answer->data);
  }
  const std::size_t size = std::min(room.size(), open.rest.size());
  std::copy_n(open.rest.begin(), size, room.begin());
  open.rest.erase(open.rest.begin(), open.rest.begin() + static_cast<std::ptrdiff_t>(size));
  return InReply::data(size);
}

void ModelDevice::set_wake(std::function<void()> wake) {
  wake_ = wake;
  link_->set_wake(std::move(wake));
}

/// Data that the program was given are its own. What it has for the guest stays, as a device has it for the next who
/// asks.
void ModelDevice::cancelled(Pipe pipe) {
  if ((pipe.endpoint & 0x80U) != 0) return;
  if (pipe.endpoint == 0) {
    if (control_) link_->forget(*control_);
    return control_.reset();
  }
  Question& open = question(pipe.endpoint);
  if (open.id) link_->forget(*open.id);
  open = {};
}

bool ModelDevice::clear_halt(std::uint8_t endpoint) {
  link_->send(clear_halt_line(endpoint));
  return true;
}

std::optional<Error> ModelDevice::trouble() const { return refusal_ ? refusal_ : link_->trouble(); }

void ModelDevice::plug() {
  if (!trouble()) return;
  auto link = ModelLink::connect(socket_);
  if (!link) {
    refusal_ = link.error();
    return;
  }
  if ((*link)->hello().descriptors.device != hello_.descriptors.device ||
      (*link)->hello().descriptors.configuration != hello_.descriptors.configuration) {
    refusal_ = Error{ErrorKind::conflict, "plug in", hello_.description.label(),
                     "its program models another device now", "Begin the desk anew."};
    return;
  }
  refusal_.reset();
  forget_questions();
  link_ = std::move(*link);
  link_->set_wake(wake_);
}

}  // namespace usbloop::device_sim
