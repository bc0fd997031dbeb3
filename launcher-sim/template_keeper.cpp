#include "launcher-sim/template_keeper.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "launcher-sim/template_key.h"
#include "launcher-sim/template_maker.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;

constexpr auto kTemplateTryAgain = 60s;
/// Longer than a machine with two processors and other work takes for one. Whoever has waited so long boots.
constexpr auto kWorthWaiting = 20s;
constexpr std::size_t kMostWishes = 8;

std::string shape_text(const GuestSpec& shape) {
  return std::to_string(shape.memory_mib) + " MiB, " + std::to_string(shape.cores) + " processors, " +
         (shape.client_passthrough ? "USB slots" : "no USB slots") + (shape.graphics ? "" : ", no display");
}

}  // namespace

TemplateKeeper::TemplateKeeper(TemplateStore store, QemuHost host)
    : store_(std::move(store)), host_(std::move(host)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

TemplateKeeper::~TemplateKeeper() { stop(); }

void TemplateKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void TemplateKeeper::prepare(const GuestSpec& shape) {
  const auto key = template_key(shape, host_);
  if (!key || store_.has(*key)) return;
  const std::lock_guard lock(mutex_);
  wish_for(*key, template_shape(shape));
}

TemplateAnswer TemplateKeeper::ask(const GuestSpec& guest) {
  const auto key = template_key(guest, host_);
  if (!key) return {.why = key.error().message()};
  {
    const std::lock_guard lock(mutex_);
    const auto failed = not_before_.find(*key);
    if (failed != not_before_.end() && Clock::now() < failed->second)
      return {.key = *key, .why = "its template failed"};
  }
  auto found = store_.find(*key);
  if (found) return {TemplateAnswer::Kind::ready, *key, std::move(*found), {}};
  const bool missing = found.error().kind == ErrorKind::not_found && !store_.has(*key);
  if (!missing) {
    spdlog::warn("{}; the template is removed", found.error().message());
    store_.remove(*key);
  }
  const std::lock_guard lock(mutex_);
  if (is_worth_waiting(*key)) return {.kind = TemplateAnswer::Kind::soon, .key = *key};
  wish_for(*key, template_shape(guest));
  return {.key = *key,
          .why = missing ? "there is no template of its shape yet" : "its template was not as it was kept"};
}

bool TemplateKeeper::is_worth_waiting(const std::string& key) {
  return !wishes_.empty() && wishes_.front().key == key && Clock::now() - wishes_.front().since < kWorthWaiting &&
         !thread_.get_stop_token().stop_requested();
}

void TemplateKeeper::wish_for(const std::string& key, const GuestSpec& shape) {
  const auto is_it = [&key](const Wish& wish) { return wish.key == key; };
  if (wishes_.size() >= kMostWishes || std::any_of(wishes_.begin(), wishes_.end(), is_it)) return;
  wishes_.push_back({key, shape, Clock::now()});
  changed_.notify_all();
}

void TemplateKeeper::distrust(const std::string& key, const Error& cause) {
  if (cause.kind != ErrorKind::timeout) store_.remove(key);
  const std::lock_guard lock(mutex_);
  not_before_[key] = Clock::now() + kTemplateTryAgain;
}

void TemplateKeeper::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !wishes_.empty(); })) {
    wishes_.front().since = Clock::now();
    const Wish wish = wishes_.front();
    lock.unlock();
    make(wish, stop);
    lock.lock();
    wishes_.pop_front();
  }
}

void TemplateKeeper::make(const Wish& wish, const std::stop_token& stop) {
  const auto began = Clock::now();
  const auto made = [&]() -> Result<> {
    auto draft = store_.begin(wish.key, stop);
    if (!draft) return tl::unexpected(draft.error());
    if (store_.has(wish.key)) return {};  // another launcher was faster
    const auto state = make_template(wish.shape, host_, *draft, stop);
    if (!state) return tl::unexpected(state.error());
    return store_.keep(std::move(*draft), *state);
  }();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
  if (made) {
    spdlog::info("the template of guests with {} is there, after {} ms", shape_text(wish.shape), took);
  } else if (!stop.stop_requested()) {
    spdlog::warn("no template of guests with {}, which are booted: {}", shape_text(wish.shape), made.error().message());
    const std::lock_guard lock(mutex_);
    not_before_[wish.key] = Clock::now() + kTemplateTryAgain;
  }
}

}  // namespace usbloop::launcher
