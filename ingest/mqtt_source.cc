#include "ingest/mqtt_source.h"

#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "ingest/back_off.h"
#include "ingest/journal_feed.h"
#include "ingest/link_status.h"
#include "ingest/mqtt_session.h"
#include "ingest/partitioner.h"
#include "ingest/redelivery.h"

namespace driftd::ingest {
namespace {

constexpr std::size_t kGroup = 4096;                // messages of one write to the disk, at most
constexpr std::size_t kGroupBytes = 1U << 20;       // and their bytes; not over a tenth of the journal
constexpr Duration kGroupTime = 20 * kMillisecond;  // and how long they are collected
constexpr std::size_t kRemembered = 16384;          // newest messages that may be sent again
constexpr std::size_t kLongestTopic = 65535;        // MQTT 5, 1.5.4
constexpr Duration kFirstWait = 500 * kMillisecond;
constexpr Duration kLongestWait = 30 * kSecond;
constexpr Duration kConnectWithin = 10 * kSecond;  // until the broker has confirmed everything

class MqttSource final : public Source {
 public:
  MqttSource(MqttSettings settings, JournalOptions journal, const SourceContext& context)
      : settings_(std::move(settings)),
        journal_options_(std::move(journal)),
        context_(context),
        broker_(settings_.host + ":" + std::to_string(settings_.port)),
        status_("mqtt", context.stream, context.telemetry),
        session_(context.data_dir + "/mqtt.session", settings_.client_id, broker_),
        partitioner_(context.sensor_path, journal_options_.partitions),
        group_bytes_(std::min<std::uint64_t>(kGroupBytes, journal_options_.cap / 10)),
        redeliveries_(kRemembered) {
    if (context.telemetry == nullptr) return;
    for (const Metric metric : {Metric::kMqttDuplicates, Metric::kMqttSessionLost}) context.telemetry->series(metric, {context.stream});
  }

  Status open(SourceHandler& handler) override {
    auto journal = Journal::open(journal_options_);
    if (!journal) return journal.error();
    if (const Status s = remember_newest(**journal); !s) return s;
    if (const Status s = make_client(); !s) return s;
    auto feed = std::make_unique<JournalFeed>(std::move(*journal), context_, journal_options_.partitions, kRemembered);
    if (const Status s = feed->open(handler); !s) return s;
    feed_ = std::move(feed);
    status_.connecting(broker_);
    return {};
  }

  Result<bool> poll(Deadline deadline, RawBatch& out) override {
    out.records.clear();
    out.owner.reset();
    if (feed_ == nullptr) return false;
    while (true) {
      turn(!paused_ && feed_->unread() > 0 ? Deadline::after(0) : deadline);
      status_.lags({{0, feed_->lag()}});
      if (!paused_) {
        auto got = feed_->next(out);
        if (!got || *got) return got;
      }
      if (deadline.passed()) return false;
    }
  }

  void release(std::uint32_t partition, std::int64_t position) override {
    if (feed_ != nullptr) feed_->release(partition, position);
  }
  void pause(bool paused) override { paused_ = paused; }
  void hold_back(const std::set<std::uint32_t>& partitions) override {
    if (feed_ != nullptr) feed_->hold_back(partitions);
  }
  std::optional<std::set<std::uint32_t>> at_end(const std::set<std::uint32_t>& partitions, const std::set<std::uint32_t>& before) override {
    return feed_ == nullptr ? std::nullopt : std::optional(feed_->at_end(partitions, before));
  }

  void close() override {
    if (feed_ == nullptr) return;
    feed_->close();
    if (client_ != nullptr && link_ == Link::kUp) client_->disconnect();
    client_.reset();
    feed_.reset();
    status_.closed();
  }

  SourceStatus status() const override { return status_.snapshot(); }

 private:
  enum class Link { kDown, kConnecting, kUp };
  // What one message is until it is in the journal, with its text in group_text_.
  struct Pending {
    std::uint32_t packet_id;
    std::size_t topic, payload, end;  // where each begins in group_text_
  };

  Status make_client() {
    auto made = MqttClient::make(
        settings_, {[this](bool present) { on_connected(present); }, [this](const std::vector<int>& granted) { on_subscribed(granted); },
                    [this](const MqttMessage& message) { on_message(message); }});
    if (!made) return made.error();
    client_ = std::move(*made);
    return {};
  }

  // Messages journaled by a driftd before this one may be sent again, too, but for those of a session that the broker has lost.
  Status remember_newest(const Journal& journal) {
    const std::int64_t begin = session_.begin() <= journal.end() ? session_.begin() : 0;  // else of a journal that is gone
    JournalCursor cursor(journal, std::max(begin, journal.end() - static_cast<std::int64_t>(kRemembered)));
    JournalCursor::Chunk chunk;
    while (true) {
      const auto got = cursor.next(chunk);
      if (!got) return got.error();
      if (!*got) return {};
      for (const JournalEntry& e : chunk.entries) redeliveries_.journaled(e.packet_id, e.topic, e.payload);
    }
  }

  // One round: connect when due, else read, journal, and only then let acknowledgements leave.
  void turn(Deadline deadline) {
    if (link_ == Link::kDown) {
      const Duration wait = back_off_.left(monotonic_now());
      const bool room = has_room();
      status_.full(!room);
      if (wait > 0 || !room) {
        const Duration rest = std::min(deadline.left(), std::max(wait, 50 * kMillisecond));
        return feed_->journal().wait(INT64_MAX, Deadline::after(rest));
      }
      return connect();
    }
    const std::size_t read_before = group_.size();
    const Duration began = monotonic_now();
    const Status read = client_->read(deadline, [&] {
      return group_.size() >= kGroup || group_text_.size() + group_.size() * kMostFrameOverhead >= group_bytes_ ||
             (group_.size() > read_before && monotonic_now() - began > kGroupTime) || link_ == Link::kDown;
    });
    if (const Status s = journal_group(); !s) return start_anew(s.error().message);
    if (!read) return lost(read.error().message);
    if (const Status s = client_->flush(); !s) return lost(s.error().message);
    if (link_ == Link::kConnecting && monotonic_now() > give_up_at_)
      return start_anew("mqtt: " + broker_ + " does not answer to CONNECT or SUBSCRIBE");
    if (link_ != Link::kUp || has_room()) return;
    status_.full(true);
    start_anew("mqtt: the journal is full (service.limits.journal); the broker keeps what comes");
  }

  void connect() {
    if (client_ == nullptr) {
      if (const Status s = make_client(); !s) return lost(s.error().message);
    }
    link_ = Link::kConnecting;
    give_up_at_ = monotonic_now() + kConnectWithin;
    if (const Status s = client_->connect(); !s) lost(s.error().message);
  }

  void on_connected(bool present) {
    if (!present && session_.expected()) {
      log::error("mqtt: the broker has lost our session; messages sent meanwhile may be lost",
                 {{"stream", context_.stream}, {"broker", broker_}});
      count(Metric::kMqttSessionLost);
    }
    if (!present) {
      if (const Status s = session_.begun(feed_->journal().end()); !s) status_.trouble(s.error().message);
    }
    redeliveries_.connected(present);
    client_->watch_dup(redeliveries_.expects());
    std::vector<std::string> old;
    for (const std::string& topic : session_.topics()) {
      const auto& now = settings_.topics;
      if (std::find(now.begin(), now.end(), topic) == now.end()) old.push_back(topic);
    }
    if (present && !old.empty()) client_->unsubscribe(old);
    // A session that is there need not have our topics: it may be of a connection that ended before it subscribed. Only with
    // MQTT 3.1.1 would subscribing again bring retained messages again.
    const bool again = settings_.retained && !settings_.version_5;
    if (present && again && session_.topics() == settings_.topics) return confirmed();
    client_->subscribe();
  }

  void on_subscribed(const std::vector<int>& granted) {
    for (std::size_t i = 0; i < granted.size() && i < settings_.topics.size(); ++i) {
      const std::string topic = "topic '" + excerpt(settings_.topics[i]) + "'";
      if (granted[i] >= 128) return status_.trouble("the broker refuses " + topic);
      if (granted[i] == 0) {
        status_.trouble("the broker grants only QoS 0 for " + topic + ": messages sent while driftd is away are lost");
      }
    }
    if (const Status s = session_.subscribed(settings_.topics); !s) status_.trouble(s.error().message);
    confirmed();
  }

  void confirmed() {
    link_ = Link::kUp;
    back_off_.succeeded();
    status_.up();
    status_.assigned(true);
  }

  void on_message(const MqttMessage& message) {
    if (redeliveries_.expects()) {
      const bool known = redeliveries_.recognise(message.dup, message.packet_id, message.topic, message.payload);
      if (!redeliveries_.expects()) client_->watch_dup(false);
      if (known) return count(Metric::kMqttDuplicates);
    }
    const std::size_t topic = group_text_.size();
    group_text_ += message.topic;
    const std::size_t payload = group_text_.size();
    group_text_ += message.payload;
    group_.push_back({message.packet_id, topic, payload, group_text_.size()});
  }

  Status journal_group() {
    if (group_.empty()) return {};
    const auto [now, behind] = context_.clock->read();
    entries_.clear();
    const std::string_view text = group_text_;
    for (const Pending& p : group_) {
      const std::string_view topic = text.substr(p.topic, p.payload - p.topic);
      const std::string_view payload = text.substr(p.payload, p.end - p.payload);
      entries_.push_back({0, now, partitioner_(topic, payload), p.packet_id, topic, payload, behind});
    }
    Status done = feed_->journal().append(entries_);
    if (done) {
      for (const JournalEntry& e : entries_) redeliveries_.journaled(e.packet_id, e.topic, e.payload);
    }
    group_.clear();
    group_text_.clear();
    return done;
  }

  // A tenth of the cap, at most 4 MiB: what one group may need.
  bool has_room() { return feed_->journal().make_room(std::min<std::uint64_t>(journal_options_.cap / 10, 4U << 20)).ok(); }

  // What the client has queued must never leave, so it is thrown away with its connection; the
  // broker sends the messages again.
  void start_anew(const std::string& why) {
    client_.reset();
    lost(why);
  }

  void lost(const std::string& why) {
    link_ = Link::kDown;
    back_off_.failed(monotonic_now());
    status_.note(why);
    status_.down();
  }

  void count(Metric metric) {
    if (context_.telemetry != nullptr) context_.telemetry->series(metric, {context_.stream}).add();
  }

  MqttSettings settings_;
  JournalOptions journal_options_;
  SourceContext context_;
  std::string broker_;
  LinkStatus status_;
  MqttSession session_;
  Partitioner partitioner_;
  std::uint64_t group_bytes_;
  Redeliveries redeliveries_;
  BackOff back_off_{kFirstWait, kLongestWait};
  std::unique_ptr<JournalFeed> feed_;
  std::unique_ptr<MqttClient> client_;
  bool paused_ = false;
  Link link_ = Link::kDown;
  Duration give_up_at_ = 0;
  std::vector<Pending> group_;
  std::string group_text_;
  std::vector<JournalEntry> entries_;
};

}  // namespace

std::uint64_t smallest_mqtt_journal(std::size_t max_record) {
  const std::uint64_t last = max_record + 1 + kLongestTopic + kMostFrameOverhead + 2 * kSegmentHeaderBytes;
  return std::min<std::uint64_t>(last * 10 / 9 + 1, last + kGroupBytes);
}

std::unique_ptr<Source> make_mqtt_source(MqttSettings settings, JournalOptions journal, const SourceContext& context) {
  return std::make_unique<MqttSource>(std::move(settings), std::move(journal), context);
}

}  // namespace driftd::ingest
