#include "ingest/kafka_source.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/log.h"
#include "core/text.h"
#include "ingest/folder_id.h"
#include "ingest/kafka_consumer_options.h"
#include "ingest/kafka_ends.h"
#include "ingest/kafka_gate.h"
#include "ingest/kafka_partitions.h"
#include "ingest/kafka_positions.h"
#include "ingest/kafka_statistics.h"
#include "ingest/link_status.h"

namespace driftd::ingest {
namespace {

constexpr std::size_t kBatch = 8192;                  // messages taken at once
constexpr Duration kLongestWait = 50 * kMillisecond;  // for a full batch
constexpr Duration kCommitEvery = kSecond;
constexpr Duration kLeaveWithin = 5 * kSecond;
constexpr int kLeaveMillis = 50;
constexpr std::size_t kDry = 4 * kBatch;  // messages left in librdkafka's queue
constexpr Duration kWakeEvery = 50 * kMillisecond;
constexpr Duration kBrokerAwayFor = 5 * kSecond;
class KafkaSource final : public Source {
 public:
  KafkaSource(KafkaSettings settings, const SourceContext& context)
      : settings_(std::move(settings)), context_(context), status_("kafka", context.stream, context.telemetry) {}
  ~KafkaSource() override { KafkaSource::close(); }

  Status open(SourceHandler& handler) override {
    auto conf = kafka_conf(settings_.connection, consumer_options(settings_));
    if (!conf) return conf.error();
    rd_kafka_conf_set_rebalance_cb(conf->get(), [](rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list,
                                                   void* self) { static_cast<KafkaSource*>(self)->on_rebalance(error, *list); });
    rd_kafka_conf_set_stats_cb(conf->get(), [](rd_kafka_t*, char* json, std::size_t size, void* self) {
      static_cast<KafkaSource*>(self)->on_statistics({json, size});
      return 0;
    });
    rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int error, const char* why, void* self) {
      static_cast<KafkaSource*>(self)->on_error(static_cast<rd_kafka_resp_err_t>(error), why);
    });
    auto id = folder_id(context_.data_dir);
    if (!id) return id.error();
    id_ = std::move(*id);
    auto client = kafka_consumer(std::move(conf).value(), this);
    if (!client) return client.error();
    client_ = std::move(client).value();
    handler_ = &handler;
    partitions_ = std::make_unique<KafkaPartitions>(settings_.topics, client_);
    ends_ = std::make_unique<KafkaEnds>(client_, *partitions_);
    positions_ = std::make_unique<KafkaPositions>(settings_, context_, id_, client_, *partitions_, handler);
    queue_ = rd_kafka_queue_get_consumer(client_.get());
    status_.connecting(join(settings_.connection.brokers));
    const KafkaList topics = new_kafka_list();
    for (const std::string& topic : settings_.topics) {
      rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    if (const auto e = rd_kafka_subscribe(client_.get(), topics.get())) {
      return Error{ErrorCode::kInvalidArgument, std::string("kafka: subscribing: ") + rd_kafka_err2str(e)};
    }
    return {};
  }

  Result<bool> poll(Deadline deadline, RawBatch& out) override {
    out.records.clear();
    out.owner.reset();
    if (!client_) return false;
    while (true) {
      if (!paused_ && partitions_->hand_over(out)) return true;
      const Duration left = deadline.left();
      consume(std::min(left, kLongestWait));
      send_commits(false);
      if (fatal_) return Error{ErrorCode::kUnavailable, *fatal_};
      if (left == 0) return !paused_ && partitions_->hand_over(out);
    }
  }

  void commit(std::uint32_t partition, std::int64_t next_position) override {
    if (!partitions_) return;
    if (auto* ours = partitions_->find(partition)) ours->committed = next_position;
  }

  void pause(bool paused) override {
    if (paused == paused_) return;
    paused_ = paused;
    if (!client_) return;
    const KafkaList list = new_kafka_list();
    for (const auto& p : partitions_->all()) {
      if (!p.held_back) partitions_->add_to(*list, p.number);
    }
    fetch(*list, !paused);
  }

  void hold_back(const std::set<std::uint32_t>& partitions) override {
    held_back_ = partitions;
    if (!client_) return;
    const KafkaList stop = new_kafka_list(), go = new_kafka_list();
    for (auto& p : partitions_->all()) {
      const bool back = partitions.count(p.number) != 0;
      if (std::exchange(p.held_back, back) != back) partitions_->add_to(back ? *stop : *go, p.number);
    }
    if (paused_) return;
    fetch(*stop, false);
    fetch(*go, true);
  }

  std::optional<std::set<std::uint32_t>> at_end(const std::set<std::uint32_t>& partitions, const std::set<std::uint32_t>& before) override {
    return ends_ == nullptr ? std::nullopt : ends_->at_end(partitions, before);
  }

  Result<std::unique_ptr<Gate>> make_gate(GateSettings settings) override {
    if (settings.transactional_id.empty()) settings.transactional_id = "driftd-" + context_.stream + "-" + id_;
    gated_ = true;
    positions_->gated();
    return make_kafka_gate({std::move(settings), settings_.connection, settings_.topics, client_, id_}, context_);
  }

  void close() override {
    if (!client_) return;
    const bool left = leave_group();
    rd_kafka_queue_destroy(queue_);
    positions_.reset();
    ends_.reset();
    partitions_.reset();
    let_go(left);
    handler_ = nullptr;
    status_.closed();
  }

  SourceStatus status() const override { return status_.snapshot(); }

 private:
  struct Rebalance {
    rd_kafka_resp_err_t what;
    KafkaList list;
  };

  // As rd_kafka_consumer_close(), which waits for answers (to the newest commit, for one) until there are some: a coordinator that is away
  // gives none. False when they did not come in time.
  bool leave_group() {
    closing_ = true;
    rd_kafka_queue_t* events = rd_kafka_queue_new(client_.get());
    rd_kafka_error_t* error = rd_kafka_consumer_close_queue(client_.get(), events);
    const bool asked = error == nullptr;  // else it has failed for good, and destroying it does not wait
    rd_kafka_error_destroy(error);
    leave_by_ = Deadline::after(kLeaveWithin);
    while (asked && rd_kafka_consumer_closed(client_.get()) == 0 && !leave_by_.passed()) {
      if (rd_kafka_message_t* message = rd_kafka_consume_queue(events, kLeaveMillis)) rd_kafka_message_destroy(message);
    }
    rd_kafka_queue_destroy(events);
    if (!asked || rd_kafka_consumer_closed(client_.get()) != 0) return true;
    log::warning("kafka: the group does not answer; it learns from the session's timeout that driftd is gone",
                 {{"stream", context_.stream}});
    return false;
  }

  // Destroying a client waits for what it has asked, which may take a minute when a broker is away.
  void let_go(bool left) {
    KafkaHandle client = std::move(client_);
    if (!was_assigned_ || (!left && !context_.later)) return keep_until_exit(std::move(client));
    if (!context_.later) return;
    context_.later([client = std::move(client), left] {
      const timespec second{1, 0};
      while (!left && rd_kafka_consumer_closed(client.get()) == 0) nanosleep(&second, nullptr);
    });
  }

  // Messages are taken one by one. The calls for batches must not be used in a group: when a rebalance is announced, librdkafka (2.0)
  // throws away what it has put into the batch so far and goes on behind it, so those messages would be lost.
  void consume(Duration wait) {
    const Deadline deadline = Deadline::after(wait);
    std::size_t taken = 0;
    for (rd_kafka_message_t* message : positions_->left()) take(message);
    while (taken < kBatch) {
      rd_kafka_message_t* message = rd_kafka_consume_queue(queue_, 0);
      if (message == nullptr) message = rd_kafka_consume_queue(queue_, static_cast<int>(deadline.left() / kMillisecond));
      if (message == nullptr) break;
      ++taken;
      // What an error asks of brokers may take seconds.
      const bool late = message->err != RD_KAFKA_RESP_ERR_NO_ERROR && deadline.passed();
      take(message);
      if (late) break;
    }
    if (taken == kBatch) wake_fetching();
    for (Rebalance& rebalance : std::exchange(rebalances_, {})) answer(rebalance.what, *rebalance.list);
    status_.missing(positions_->watch());
    if (paused_ || !held_back_.empty()) ends_->look(paused_);
    if (rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR && !fatal_) set_fatal();
  }

  void take(rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return partitions_->take(message);
    on_message_error(*message);
    rd_kafka_message_destroy(message);
  }

  // In a catch-up the queue runs dry although there is more.
  void wake_fetching() {
    const Duration now = monotonic_now();
    if (now - last_wake_ < kWakeEvery || rd_kafka_queue_length(queue_) > kDry) return;
    const auto woken = partitions_->wake_fetching(kBatch);
    if (!woken) last_wake_ = monotonic_now() + kBrokerAwayFor;
    if (woken && *woken) last_wake_ = monotonic_now();
  }

  // The rest of the group waits until a rebalance is answered, so that may be done a little later.
  void on_rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t& list) {
    if (closing_) return answer(what, list);
    rebalances_.push_back({what, KafkaList(rd_kafka_topic_partition_list_copy(&list))});
  }

  void answer(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t& list) {
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      was_assigned_ = true;
      positions_->assign(list);
      if (paused_) fetch(list, false);
      hold_back(std::set<std::uint32_t>(held_back_));
      handler_->on_settled();
      return status_.assigned(true);
    }
    give_up(list, rd_kafka_assignment_lost(client_.get()) != 0);
    leave_by_ = Deadline::after(kLeaveWithin);  // what the checkpoint took is not the group's
    // librdkafka keeps that a partition is paused, also while it is not ours (its issue 1849), and pause(false) may come meanwhile.
    const KafkaList paused(rd_kafka_topic_partition_list_copy(&list));
    if (paused_ || !held_back_.empty()) fetch(*paused, true);
    positions_->unassign(list);
  }

  void give_up(const rd_kafka_topic_partition_list_t& list, bool lost) {
    std::vector<std::uint32_t> numbers;
    for (int i = 0; i < list.cnt; ++i) {
      const auto number = partitions_->number_of(list.elems[i].topic, list.elems[i].partition);
      if (number && partitions_->find(*number) != nullptr) numbers.push_back(*number);
    }
    if (numbers.empty()) return;
    if (lost) {
      log::warning("kafka: partitions lost; what came after the last checkpoint will be read again",
                   {{"stream", context_.stream}, {"partitions", std::to_string(numbers.size())}});
      handler_->on_lost(numbers);
    } else {
      handler_->on_revoked(numbers);
      // A close waits for its answer, which would come when the broker is back.
      if (!closing_ || status_.snapshot().connected) send_commits(true);
    }
    for (const std::uint32_t number : numbers) partitions_->unassign(number);
  }

  void fetch(rd_kafka_topic_partition_list_t& list, bool yes) {
    if (list.cnt > 0) (yes ? rd_kafka_resume_partitions : rd_kafka_pause_partitions)(client_.get(), &list);
  }

  // With a gate its transactions commit. Else for display only: nothing depends on the group's offsets, so nobody waits for the answer.
  void send_commits(bool at_once) {
    const Duration now = monotonic_now();
    if (gated_ || (!at_once && now - last_commit_ < kCommitEvery)) return;
    last_commit_ = now;
    const KafkaList list = new_kafka_list();
    for (auto& p : partitions_->all()) {
      if (p.committed >= 0 && !p.held) partitions_->add_to(*list, p.number, std::exchange(p.committed, -1), id_);
    }
    if (list->cnt > 0) rd_kafka_commit(client_.get(), list.get(), 1);
  }

  void on_message_error(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      const auto number = partitions_->number_of(rd_kafka_topic_name(message.rkt), message.partition);
      auto* ours = number ? partitions_->find(*number) : nullptr;
      if (ours != nullptr && !ours->held) {
        ours->end_seen = message.offset;
        ours->mark.reset();  // compaction took it
      }
      return;
    }
    if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      return positions_->close_gap(message);
    }
    const std::string topic = message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt);
    if (positions_->report(message.err, topic, "")) return;
    on_error(message.err, rd_kafka_message_errstr(&message));
  }

  void on_error(rd_kafka_resp_err_t error, const std::string& why) {
    if (positions_->report(error, "", why)) return;
    const std::string what = std::string(rd_kafka_err2name(error)) + ": " + excerpt(why, 200);
    switch (error) {
      case RD_KAFKA_RESP_ERR__FATAL:
        return;  // consume() looks itself
      case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        return status_.down();
      case RD_KAFKA_RESP_ERR__TRANSPORT:
      case RD_KAFKA_RESP_ERR__RESOLVE:
      case RD_KAFKA_RESP_ERR__TIMED_OUT:
        return status_.note(what);
      default:
        status_.note(what);
        return status_.trouble(what);
    }
  }

  void set_fatal() {
    std::array<char, 512> why{};
    const auto error = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
    fatal_ = std::string("kafka: ") + why.data();
    if (error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
      *fatal_ += "; another process joined group '" + settings_.group + "' as instance_id '" + settings_.instance_id +
                 "': give each replica its own";
    }
    status_.note(*fatal_);
    status_.down();
  }

  void on_statistics(std::string_view json) {
    const auto read = read_kafka_statistics(json);
    if (!read || !partitions_) return;
    if (read->broker_up) status_.up();
    if (read->group_ready) status_.assigned(true);
    std::vector<PartitionStatus> lags;
    for (const auto& p : partitions_->all()) lags.push_back({p.number, std::nullopt});
    for (const auto& known : read->partitions) {
      const auto number = partitions_->number_of(known.topic, known.partition);
      auto* ours = number ? partitions_->find(*number) : nullptr;
      if (ours == nullptr) continue;
      KafkaEnds::told(*ours, known.end, !paused_ && !ours->held_back);
      lags[static_cast<std::size_t>(ours - partitions_->all().data())].lag = ours->lag(ours->known_end);
    }
    status_.lags(std::move(lags));
  }

  KafkaSettings settings_;
  SourceContext context_;
  LinkStatus status_;
  SourceHandler* handler_ = nullptr;
  std::string id_;  // of the stream's folder
  KafkaHandle client_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::unique_ptr<KafkaPartitions> partitions_;
  std::unique_ptr<KafkaEnds> ends_;
  std::unique_ptr<KafkaPositions> positions_;
  std::vector<Rebalance> rebalances_;  // announced and not answered
  bool paused_ = false;
  std::set<std::uint32_t> held_back_;  // also those that are not ours now
  bool gated_ = false;
  bool closing_ = false;
  bool was_assigned_ = false;  // the group has answered with partitions, or none, once
  Duration last_commit_ = 0;   // monotonic
  Duration last_wake_ = 0;     // monotonic
  Deadline leave_by_ = Deadline::after(0);
  std::optional<std::string> fatal_;
};

}  // namespace

std::unique_ptr<Source> make_kafka_source(KafkaSettings settings, const SourceContext& context) {
  return std::make_unique<KafkaSource>(std::move(settings), context);
}

}  // namespace driftd::ingest
