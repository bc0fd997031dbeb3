#include "kube-sim/http/watch_framing.h"

#include "kube-sim/http/watch_websocket.h"

namespace usbloop::apiserver {
namespace {

class ChunkedFraming final : public WatchFraming {
 public:
  explicit ChunkedFraming(AnswerForm form) : form_(std::move(form)) {}

  [[nodiscard]] int code() const override { return 200; }
  [[nodiscard]] std::string head() const override { return chunked_head("application/json", form_); }
  std::string events(const std::string& lines) override { return chunk(lines); }
  std::string last() override { return kLastChunk; }
  Heard receive(std::span<std::byte> /*bytes*/) override { return Heard::nothing; }
  std::string take_answer() override { return {}; }

 private:
  AnswerForm form_;
};

}  // namespace

std::unique_ptr<WatchFraming> chunked_framing(const AnswerForm& form) { return std::make_unique<ChunkedFraming>(form); }

std::unique_ptr<WatchFraming> framing_for(const http::Head& request, const AnswerForm& form) {
  return asks_for_websocket(request) ? websocket_framing(request) : chunked_framing(form);
}

}  // namespace usbloop::apiserver
