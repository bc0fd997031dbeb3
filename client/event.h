#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/messages.h"

// What a redirection tells: to a person as lines of text, to a program as one JSON object a line. docs/client.md has
// the table of events and the fields. Pure functions.
namespace usbloop::client {

/// What has happened. The names of kEvents are for programs and stay.
enum class Happening : std::uint8_t {
  connecting,
  redirecting,
  redirecting_again,
  waits_connection_lost,
  waits_refused,
  waits_access_denied,
  waits_slots_busy,
  waits_not_answering,
  waits_vmi_stopped,
  waits_vmi_ended,
  waits_vmi_starting,
  waits_device_unplugged,
  waits_device_unusable,
  waits_kubeconfig_unusable,
  waits_other_transport,
  ended_stopped,
  ended_closed,
  ended_connection_lost,
  ended_not_connected,
  ended_refused,
  ended_not_answering,
  ended_vmi_gone,
  ended_device_not_taken,
  ended_device,
  ended_internal
};

struct EventName {
  Happening what;
  std::string_view event;   ///< connecting, redirecting, waiting, ended
  std::string_view reason;  ///< as Kubernetes writes reasons; may be empty
};

inline constexpr std::array<EventName, 25> kEvents = {{
    {Happening::connecting, "connecting", ""},
    {Happening::redirecting, "redirecting", "First"},
    {Happening::redirecting_again, "redirecting", "Again"},
    {Happening::waits_connection_lost, "waiting", "ConnectionLost"},
    {Happening::waits_refused, "waiting", "Refused"},
    {Happening::waits_access_denied, "waiting", "AccessDenied"},
    {Happening::waits_slots_busy, "waiting", "SlotsBusy"},
    {Happening::waits_not_answering, "waiting", "NotAnswering"},
    {Happening::waits_vmi_stopped, "waiting", "VMIStopped"},
    {Happening::waits_vmi_ended, "waiting", "VMIEnded"},
    {Happening::waits_vmi_starting, "waiting", "VMIStarting"},
    {Happening::waits_device_unplugged, "waiting", "DeviceUnplugged"},
    {Happening::waits_device_unusable, "waiting", "DeviceUnusable"},
    {Happening::waits_kubeconfig_unusable, "waiting", "KubeconfigUnusable"},
    {Happening::waits_other_transport, "waiting", "OtherTransport"},
    {Happening::ended_stopped, "ended", "Stopped"},
    {Happening::ended_closed, "ended", "Closed"},
    {Happening::ended_connection_lost, "ended", "ConnectionLost"},
    {Happening::ended_not_connected, "ended", "NotConnected"},
    {Happening::ended_refused, "ended", "Refused"},
    {Happening::ended_not_answering, "ended", "NotAnswering"},
    {Happening::ended_vmi_gone, "ended", "VMIGone"},
    {Happening::ended_device_not_taken, "ended", "DeviceNotTaken"},
    {Happening::ended_device, "ended", "DeviceEnded"},
    {Happening::ended_internal, "ended", "InternalError"},
}};

/// The entry of kEvents.
const EventName& name_of(Happening what);

inline bool is_end(Happening what) { return what >= Happening::ended_stopped; }

/// What is known of a device. Texts come from the device or the person: they are shown with care.
struct DeviceFacts {
  std::string name;  ///< as the person named it
  std::string id;    ///< `0951:1666`
  std::string product;
  std::string serial;    ///< empty: none
  std::string port;      ///< `1-2.3`; empty for a device of --emulate, which stands nowhere
  unsigned bus = 0;      ///< 0 for such a device
  unsigned address = 0;  ///< lsusb's Device; 0 for such a device
  bool emulated = false;
};

/// What has been carried for one device, in all sessions together.
struct Counters {
  unsigned sessions = 0;
  std::chrono::milliseconds redirected{0};  ///< the time in sessions
  std::uint64_t transfers = 0;              ///< ended, whatever their outcome
  std::uint64_t errors = 0;                 ///< of these the failed ones; a stall is an answer and no error
  std::uint64_t bytes_to_guest = 0;         ///< data of transfers, without protocol
  std::uint64_t bytes_from_guest = 0;
};

struct Event {
  Happening what = Happening::connecting;
  std::chrono::system_clock::time_point time;
  DeviceFacts device;
  Target target;
  std::string message;  ///< lines for a person; may be empty
  int exit_status = 0;  ///< of an end
  Counters counters;    ///< of an end
};

/// The lines for a person, each with the device's name when there are `several`; empty when nothing is to be said.
std::string plain_lines(const Event& event, bool several);

/// One line of JSON, without a newline.
std::string json_line(const Event& event);

/// The same for an error before any device is redirected.
std::string json_error_line(const Error& error, int exit_status, std::chrono::system_clock::time_point time);

}  // namespace usbloop::client
