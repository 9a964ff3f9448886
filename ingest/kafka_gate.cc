#include "ingest/kafka_gate.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "core/log.h"
#include "core/text.h"
#include "ingest/back_off.h"
#include "ingest/gate_queue.h"
#include "ingest/gate_sender.h"
#include "ingest/group_metadata.h"
#include "ingest/kafka_partitions.h"
#include "ingest/kafka_record_lookup.h"
#include "ingest/kafka_transaction.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

using Outcome = KafkaTransaction::Outcome;

constexpr std::size_t kTransactionBytes = 16U << 20;  // one batch more at most
constexpr Duration kFirstWait = 50 * kMillisecond;
constexpr Duration kLongestWait = 10 * kSecond;
// For all that is asked about positions: by a gate that takes longer nobody is held up (app/run/gate_runner.cc).
constexpr Duration kAskWithin = 3500 * kMillisecond;

class KafkaGate final : public Gate {
 public:
  KafkaGate(KafkaGateSettings settings, const SourceContext& context)
      : settings_(std::move(settings)),
        stream_(context.stream),
        telemetry_(context.telemetry),
        sender_(stream_, settings_.gate),
        transaction_(settings_.connection, settings_.gate.transactional_id, GateSender::hooks()) {
    for (const char* result : GateSender::kResults) count(Metric::kGateRecords, result, 0);
    for (const char* result : {"committed", "aborted"}) count(Metric::kGateTransactions, result, 0);
  }

  void add(GateBatch batch) override {
    const std::uint32_t partition = batch.raw->partition;
    if (queue_.add(std::move(batch)) && ours_.count(partition) != 0) unknown_.insert(partition);
  }
  void assigned(std::uint32_t partition, std::int64_t position) override {
    queue_.expect(partition, position);
    unknown_.insert(partition);
    ours_.insert(partition);
    ask_back_off_ = BackOff(kFirstWait, kLongestWait);
  }
  void dropped(const std::vector<std::uint32_t>& partitions) override {
    ++dropped_;
    for (const std::uint32_t p : partitions) {
      queue_.kill(p);
      unknown_.erase(p);
      ours_.erase(p);
    }
  }
  void expire() override { ++expired_; }
  void disown() override { disowned_ = true; }

  void work(bool all) override {
    if (waits()) return;
    while (step(all)) {
    }
  }

  Duration rest() const override {
    const Duration now = monotonic_now();
    if (const Duration wait = back_off_.left(now); wait > 0) return wait;
    if (state_ == State::kOpen) return std::max<Duration>(commit_at_ - now, 0);
    return idle() && connected() ? kSecond : 0;
  }
  bool idle() const override { return queue_.empty() && !in_transaction(); }
  bool connected() const override { return state_ != State::kDown; }
  std::size_t bytes() const override { return queue_.bytes(); }
  const std::string& trouble() const override { return trouble_; }

 private:
  enum class State {
    kDown,        // no producer, or not started
    kReady,       // no transaction
    kOpen,        // records are being sent
    kSealed,      // nothing more is sent; positions are to be added
    kCommitting,  // the server decides
    kAborting,
  };

  bool in_transaction() const { return state_ != State::kDown && state_ != State::kReady; }

  // One step; false when there is nothing to do now.
  bool step(bool all) {
    switch (state_) {
      case State::kDown:
        return connect();
      case State::kReady:
        return prepare() && begin();
      case State::kOpen:
        return fill(all);
      case State::kSealed:
        return add_positions();
      case State::kCommitting:
        return finish();
      case State::kAborting:
        return abort();
    }
    return false;
  }

  bool connect() {
    std::vector<std::string> topics = {settings_.gate.invalid};
    if (!settings_.gate.valid.empty()) topics.push_back(settings_.gate.valid);
    if (!done(transaction_.open(topics))) return false;
    log::info("kafka: gate open", {{"stream", stream_}, {"transactional_id", settings_.gate.transactional_id}});
    state_ = State::kReady;
    return true;
  }

  // With no transaction open: asks where to go on. False when there is nothing to do.
  bool prepare() {
    const auto unknown = [&](const GateQueue::Batch* b) { return b != nullptr && unknown_.count(b->partition()) != 0; };
    if (unknown(queue_.next()) || ask_due()) ask_positions();
    const GateQueue::Batch* batch = queue_.next();
    if (unknown(batch)) {
      hold("asking for positions: " + why_unknown_);
      return false;
    }
    if (batch == nullptr) trouble_.clear();
    return batch != nullptr;
  }

  bool ask_due() const { return !unknown_.empty() && ask_back_off_.left(monotonic_now()) == 0; }

  // What the group says of a partition.
  struct Told {
    std::uint32_t partition;
    std::int64_t position;
    std::optional<RecordMark> mark;
  };

  // Where it cannot be learnt now, as a partition has no leader, what is to be forwarded of that one has to wait, and what is behind it.
  void ask_positions() {
    why_unknown_.clear();
    const Deadline deadline = Deadline::after(kAskWithin);
    const auto left = [&] { return static_cast<int>(deadline.left() / kMillisecond) + 1; };
    const KafkaList list = new_kafka_list(), ends = new_kafka_list();
    const std::vector<std::uint32_t> asked(unknown_.begin(), unknown_.end());
    for (const std::uint32_t p : asked) add_offset(*list, topic_of(p), KafkaPartitions::id_of(p), KafkaPartitions::kNoOffset);
    const auto error = rd_kafka_committed(settings_.consumer.get(), list.get(), left());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) why_unknown_ = rd_kafka_err2str(error);
    std::vector<Told> told;
    for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      const rd_kafka_topic_partition_t& entry = list->elems[i];
      if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        why_unknown_ = rd_kafka_err2str(entry.err);
      } else if (entry.offset > 0) {
        const std::string_view metadata(static_cast<const char*>(entry.metadata), entry.metadata_size);
        told.push_back({asked[static_cast<std::size_t>(i)], entry.offset, GroupMetadata::read(metadata).mark});
        add_offset(*ends, entry.topic, entry.partition, kNoEnd);
      } else {
        unknown_.erase(asked[static_cast<std::size_t>(i)]);
      }
    }
    if (const Status s = kafka_ends_where_led(settings_.consumer.get(), *ends, left()); !s) {
      why_unknown_ = s.error().message;
      told.clear();
    }
    std::vector<Told> in_doubt;
    for (std::size_t i = 0; i < told.size(); ++i) {
      const std::int64_t end = ends->elems[i].offset;
      if (end == kNoEnd) {
        const std::string id = std::to_string(KafkaPartitions::id_of(told[i].partition));
        if (why_unknown_.empty()) why_unknown_ = "partition " + id + " of " + topic_of(told[i].partition) + " has no leader";
      } else if (told[i].mark && queue_.forwarded_to(told[i].partition, told[i].position, *told[i].mark)) {
        unknown_.erase(told[i].partition);  // by a transaction of which we did not see the end
      } else if (told[i].position <= end && queue_.in_doubt(told[i].partition, told[i].position)) {
        in_doubt.push_back(std::move(told[i]));
      } else {
        settle(told[i], told[i].position <= end);
      }
    }
    settle_doubts(in_doubt, left());
    if (unknown_.empty()) {
      lookup_.reset();
      return ask_back_off_.succeeded();
    }
    ask_back_off_.failed(monotonic_now());
  }

  // What the group says may be of a topic that had this name before: the record before the position tells. Where nothing does, as it
  // was written by an older driftd or its record is gone, it is believed as long as positions did not go back.
  void settle_doubts(const std::vector<Told>& all, int patience_millis) {
    std::vector<MarkedRecord> records;
    std::vector<const Told*> marked;
    for (const Told& one : all) {
      if (!one.mark) {
        settle(one, !queue_.went_back(one.partition));
        continue;
      }
      records.push_back({topic_of(one.partition), KafkaPartitions::id_of(one.partition), *one.mark});
      marked.push_back(&one);
    }
    if (records.empty()) return;
    if (lookup_ == nullptr) lookup_ = std::make_unique<KafkaRecordLookup>(settings_.connection);
    const auto found = lookup_->find(records, patience_millis);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!found[i]) {
        why_unknown_ = "whether partition " + std::to_string(records[i].partition) + " of " + records[i].topic +
                       " was made anew is not known yet" + (lookup_->why().empty() ? "" : ": " + lookup_->why());
        continue;
      }
      const bool gone = *found[i] == RecordFound::kRemoved || *found[i] == RecordFound::kSkipped;
      settle(*marked[i], *found[i] == RecordFound::kThere || (gone && !queue_.went_back(marked[i]->partition)));
    }
  }

  // Where it is of a topic before, what is known so far holds: of this one nothing was forwarded.
  void settle(const Told& told, bool of_this_topic) {
    if (of_this_topic) queue_.forwarded(told.partition, told.position);
    unknown_.erase(told.partition);
  }

  // Not while partitions go of which it is not told yet: what waits of them may be in it, and the membership be the next one.
  bool begin() {
    begun_under_ = dropped_;
    if (expired_ != begun_under_) return false;
    if (!done(transaction_.begin())) return false;
    state_ = State::kOpen;
    counts_ = {};
    bytes_ = 0;
    commit_at_ = monotonic_now() + settings_.gate.commit_every;
    return true;
  }

  bool fill(bool all) {
    if (queue_.dead_in_transaction()) return give_up();
    GateQueue::Batch* batch = queue_.next();
    const bool enough = bytes_ >= kTransactionBytes || monotonic_now() >= commit_at_ || ask_due();
    if (enough || (batch == nullptr ? all : unknown_.count(batch->partition()) != 0)) {
      state_ = State::kSealed;
      return true;
    }
    if (batch == nullptr) return false;
    bytes_ += batch->bytes;
    queue_.sent();  // also when it cannot be sent as a whole: some of it is on its way
    if (sender_.send(*batch, transaction_, counts_)) return true;
    hold(transaction_.why());
    return give_up();
  }

  bool add_positions() {
    // Asked for before looking whether a partition was lost: if one is lost later, the server does
    // not take positions under this membership.
    const auto membership = KafkaTransaction::membership_of(settings_.consumer.get());
    if (expired_ != begun_under_ || queue_.dead_in_transaction()) return give_up();
    if (membership == nullptr) {
      hold("no member of the consumer group yet");
      return false;
    }
    std::vector<KafkaTransaction::Offset> offsets;
    for (const auto& [partition, raw] : queue_.newest_sent()) {
      offsets.push_back({topic_of(partition), KafkaPartitions::id_of(partition), raw->next_position,
                         GroupMetadata{settings_.folder_id, mark_of(raw->records.back())}.text()});
    }
    if (!done(transaction_.add_positions(offsets, *membership))) return false;
    state_ = State::kCommitting;
    return true;
  }

  bool finish() {
    if (!done(transaction_.commit())) return false;
    queue_.committed();
    state_ = State::kReady;
    if (!trouble_.empty()) log::info("kafka: the gate forwards again", {{"stream", stream_}});
    trouble_.clear();
    back_off_.succeeded();
    count(Metric::kGateTransactions, "committed", 1);
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > 0) count(Metric::kGateRecords, GateSender::kResults[i], counts_[i]);
    }
    return false;  // work() is called again at once; that there is room now must be known first
  }

  bool give_up() {
    state_ = State::kAborting;
    return true;
  }

  bool abort() {
    if (!done(transaction_.abort())) return false;
    count(Metric::kGateTransactions, "aborted", 1);
    queue_.aborted();
    state_ = State::kReady;
    return !waits();
  }

  // True to go on with the next step.
  bool done(Outcome outcome) {
    if (outcome == Outcome::kDone) return true;
    hold(transaction_.why());
    if (outcome == Outcome::kAbort) state_ = State::kAborting;
    if (outcome == Outcome::kBroken) start_anew();
    return false;
  }

  // Whether the newest transaction was committed is not known, so the server is asked again.
  void start_anew() {
    if (in_transaction()) count(Metric::kGateTransactions, "aborted", 1);
    transaction_.close();
    queue_.aborted();
    unknown_ = ours_;
    ask_back_off_ = BackOff(kFirstWait, kLongestWait);
    state_ = State::kDown;
  }

  void hold(const std::string& why) {
    if (trouble_ != why) log::warning("kafka: the gate waits", {{"stream", stream_}, {"why", why}});
    trouble_ = why;
    back_off_.failed(monotonic_now());
  }
  bool waits() const { return back_off_.left(monotonic_now()) > 0; }

  void count(Metric metric, const char* result, std::uint64_t n) {
    if (telemetry_ == nullptr || disowned_) return;
    telemetry_->series(metric, {stream_, result}).add(static_cast<double>(n));
  }
  const std::string& topic_of(std::uint32_t number) const { return settings_.topics[number / kPartitionsPerTopic]; }

  KafkaGateSettings settings_;
  std::string stream_;
  Telemetry* telemetry_;
  GateQueue queue_;
  GateSender sender_;
  KafkaTransaction transaction_;  // after what its messages point to
  std::set<std::uint32_t> ours_;
  std::set<std::uint32_t> unknown_;            // of ours: up to where they were forwarded
  std::unique_ptr<KafkaRecordLookup> lookup_;  // while it is needed
  std::string why_unknown_;
  BackOff ask_back_off_{kFirstWait, kLongestWait};
  State state_ = State::kDown;
  std::atomic<bool> disowned_{false};
  std::atomic<std::uint64_t> expired_{0};
  std::uint64_t dropped_ = 0;      // how many of these it was told
  std::uint64_t begun_under_ = 0;  // dropped_ when the transaction began
  GateSender::Counts counts_{};    // of the open transaction
  std::size_t bytes_ = 0;          // likewise
  Duration commit_at_ = 0;         // monotonic
  std::string trouble_;
  BackOff back_off_{kFirstWait, kLongestWait};
};

}  // namespace

std::unique_ptr<Gate> make_kafka_gate(KafkaGateSettings settings, const SourceContext& context) {
  return std::make_unique<KafkaGate>(std::move(settings), context);
}

}  // namespace driftd::ingest
