#include "app/run/gate_runner.h"

#include <algorithm>
#include <chrono>

#include "core/log.h"
#include "core/time.h"

namespace driftd::app {
namespace {

constexpr Duration kFlushWithin = 5 * kSecond;
constexpr Duration kHangsFrom = 4 * kSecond;
constexpr Duration kEndWithin = 5 * kSecond;
constexpr std::uint64_t kSettled = 1U << 20;  // bytes that flush() is quick with
constexpr Duration kFlushInTroubleWithin = 200 * kMillisecond;

}  // namespace

GateRunner::GateRunner(std::unique_ptr<ingest::Gate> gate, const std::string& stream, std::uint64_t buffer, Telemetry& telemetry)
    : gate_(std::move(gate)),
      stream_(stream),
      buffer_(buffer),
      up_(telemetry.series(Metric::kGateUp, {stream})),
      bytes_(telemetry.series(Metric::kGateWaiting, {stream})) {}

std::shared_ptr<GateRunner> GateRunner::start(std::unique_ptr<ingest::Gate> gate, const std::string& stream, std::uint64_t buffer,
                                              Telemetry& telemetry) {
  const std::shared_ptr<GateRunner> runner(new GateRunner(std::move(gate), stream, buffer, telemetry));
  runner->thread_ = std::thread([runner] { runner->run(); });
  return {runner.get(), [runner](GateRunner* r) { r->stop(); }};
}

void GateRunner::post(Message message, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  inbox_.push_back(std::move(message));
  inbox_bytes_ += bytes;
  waiting_ += bytes;
  idle_ = false;
  wakes_.notify_one();
}

void GateRunner::add(ingest::GateBatch batch) {
  if (batch.raw->records.empty()) return;
  const std::size_t bytes = batch.bytes();
  post(std::move(batch), bytes);
}

void GateRunner::assigned(std::uint32_t partition, std::int64_t position) { post(Assigned{partition, position}, 0); }

void GateRunner::dropped(const std::vector<std::uint32_t>& partitions) {
  gate_->expire();
  post(partitions, 0);
}

bool GateRunner::room(Duration within) {
  if (!full()) return true;
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(within), [this] { return !full(); });
}

void GateRunner::resume() {
  const std::scoped_lock lock(mutex_);
  settling_ = false;
  changed_.notify_all();
}

bool GateRunner::settle(Duration within) {
  std::unique_lock lock(mutex_);
  const auto settled = [this] { return waiting_ <= kSettled || !trouble_.empty() || stop_; };
  if (settled() || find_hanging()) return true;
  settling_ = true;
  return changed_.wait_for(lock, std::chrono::nanoseconds(within), settled) || find_hanging();
}

// Else each checkpoint would wait for it again.
bool GateRunner::find_hanging() {
  if (!trouble_.empty() || called_at_ == 0 || monotonic_now() - called_at_ < kHangsFrom) return false;
  trouble_ = "the broker has not answered for " + format_duration(kHangsFrom);
  up_.set(0);
  changed_.notify_all();
  return true;
}

Status GateRunner::flush() {
  std::unique_lock lock(mutex_);
  ++flushes_wanted_;
  wakes_.notify_one();
  const Duration patience = trouble_.empty() ? kFlushWithin : kFlushInTroubleWithin;
  const bool done = changed_.wait_for(lock, std::chrono::nanoseconds(patience), [this] { return idle_ || stop_; });
  --flushes_wanted_;
  if (done && idle_) return {};
  find_hanging();
  return Error{ErrorCode::kUnavailable, "the gate has not forwarded everything: " + (trouble_.empty() ? "it is slow" : trouble_)};
}

std::string GateRunner::trouble() {
  const std::scoped_lock lock(mutex_);
  find_hanging();
  return trouble_;
}

void GateRunner::stop() {
  std::unique_lock lock(mutex_);
  stop_ = true;
  wakes_.notify_one();
  if (!thread_.joinable()) return;
  if (changed_.wait_for(lock, std::chrono::nanoseconds(kEndWithin), [this] { return ended_; })) {
    lock.unlock();
    thread_.join();
  } else {
    log::warning("the gate's newest question to the broker is not answered; it is left to itself", {{"stream", stream_}});
    left_ = true;
    if (gate_ != nullptr) gate_->disown();
    thread_.detach();
  }
}

void GateRunner::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    std::vector<Message> messages;
    messages.swap(inbox_);
    inbox_bytes_ = 0;
    const bool all = flushes_wanted_ > 0;
    called_at_ = monotonic_now();
    lock.unlock();
    hand_over(std::move(messages));
    gate_->work(all);
    const Duration rest = gate_->rest();
    lock.lock();
    if (left_) return;  // what is published now is of the next one
    called_at_ = 0;
    publish();
    const auto news = [&] { return stop_ || !inbox_.empty() || (!all && flushes_wanted_ > 0); };
    // With a flush waiting, a gate that has an open transaction is asked to commit it at once.
    if (rest > 0 && !(all && !idle_ && trouble_.empty())) wakes_.wait_for(lock, std::chrono::nanoseconds(rest), news);
  }
  // Clients of the broker are let go here, as that waits for what they have asked.
  std::unique_ptr<ingest::Gate> gate = std::move(gate_);
  lock.unlock();
  gate.reset();
  lock.lock();
  ended_ = true;
  changed_.notify_all();
}

void GateRunner::hand_over(std::vector<Message> messages) {
  for (Message& message : messages) {
    if (auto* batch = std::get_if<ingest::GateBatch>(&message)) {
      gate_->add(std::move(*batch));
    } else if (const auto* assigned = std::get_if<Assigned>(&message)) {
      gate_->assigned(assigned->partition, assigned->position);
    } else {
      gate_->dropped(std::get<std::vector<std::uint32_t>>(message));
    }
  }
}

void GateRunner::publish() {
  idle_ = inbox_.empty() && gate_->idle();
  trouble_ = gate_->trouble();
  if (trouble_.empty() && !gate_->connected()) trouble_ = "connecting";
  waiting_ = gate_->bytes() + inbox_bytes_;
  up_.set(trouble_.empty() ? 1 : 0);
  bytes_.set(static_cast<double>(waiting_));
  changed_.notify_all();
}

}  // namespace driftd::app
