// HTTP source: what the API's POST .../records hands over, journaled before it is acknowledged.
#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "ingest/http_intake.h"
#include "ingest/journal_feed.h"
#include "ingest/journal_options.h"
#include "ingest/json_body.h"
#include "ingest/link_status.h"
#include "ingest/partitioner.h"

namespace driftd::ingest {
namespace {

constexpr Duration kProbeEvery = kSecond;
constexpr unsigned kRetryAfterSeconds = 1;
constexpr std::uint64_t kRoomAgain = 4U << 20;  // in a journal that was full

class HttpSource final : public Source, public HttpIntake {
 public:
  HttpSource(const JournalOptions& journal, const SourceContext& context)
      : journal_options_(journal),
        context_(context),
        status_("http", context.stream, context.telemetry),
        partitioner_(context.sensor_path, journal.partitions) {}

  Status open(SourceHandler& handler) override {
    auto journal = Journal::open(journal_options_);
    if (!journal) return journal.error();
    auto feed = std::make_unique<JournalFeed>(std::move(*journal), context_, journal_options_.partitions);
    if (const Status s = feed->open(handler); !s) return s;
    const std::scoped_lock lock(mutex_);
    feed_ = std::move(feed);
    open_ = true;
    status_.up();
    status_.assigned(true);
    return {};
  }

  Result<bool> poll(Deadline deadline, RawBatch& out) override {
    out.records.clear();
    out.owner.reset();
    if (feed_ == nullptr) return false;
    look_after_disk();
    status_.lags({{0, feed_->lag()}});
    if (paused_) {
      feed_->journal().wait(INT64_MAX, deadline);
      return false;
    }
    auto got = feed_->next(out);
    if (!got || *got) return got;
    feed_->journal().wait(feed_->journal().end() - feed_->unread(), deadline);
    return feed_->next(out);
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
    {
      // Whoever opens the folder next must not write in it while one of ours still does.
      std::unique_lock lock(mutex_);
      open_ = false;
      done_.wait(lock, [this] { return submitting_ == 0; });
    }
    feed_->close();
    status_.closed();
  }

  SourceStatus status() const override { return status_.snapshot(); }

  IntakeResult submit(std::string_view body, std::string_view content_type) override {
    const auto form = body_form(content_type);
    if (!form) {
      return {415, 0, 0,
              "the content type must be application/json (an object or an array) or "
              "application/x-ndjson (JSON lines); CloudEvents envelopes are not read: post the data itself as one of these"};
    }
    std::vector<JournalEntry> entries;
    JournalFeed* feed = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      if (!open_) return {503, 0, kRetryAfterSeconds, "the stream is stopping or not started yet"};
      feed = feed_.get();
      auto records = body_.split(body, *form);
      if (!records) return {records.error().code == ErrorCode::kExhausted ? 413 : 400, 0, 0, records.error().message};
      const auto [now, behind] = context_.clock->read();
      entries.reserve(records->size());
      for (const std::string_view record : *records) entries.push_back({0, now, partitioner_({}, record), 0, {}, record, behind});
      ++submitting_;
    }
    const Status done = feed->journal().append(entries);
    submitted(done);
    if (done) return {200, entries.size(), 0, ""};
    if (done.error().code == ErrorCode::kInvalidArgument) return {413, 0, 0, done.error().message + "; send less in one body"};
    if (done.error().code == ErrorCode::kExhausted) return {429, 0, kRetryAfterSeconds, done.error().message};
    return {503, 0, kRetryAfterSeconds, done.error().message};
  }

 private:
  void submitted(const Status& done) {
    const std::scoped_lock lock(mutex_);
    if (!done && done.error().code == ErrorCode::kIo) trouble_ = done.error().message;
    full_ = !done && done.error().code == ErrorCode::kExhausted;
    status_.full(full_);
    if (--submitting_ == 0) done_.notify_all();
  }

  // A disk that refused shows in readiness until it takes a write again, and a journal that was full until it has room: nobody may send
  // anything meanwhile, so that is tried here.
  void look_after_disk() {
    const std::scoped_lock lock(mutex_);
    if (full_ && feed_->journal().make_room(std::min<std::uint64_t>(journal_options_.cap / 10, kRoomAgain))) {
      full_ = false;
      status_.full(false);
    }
    if (trouble_.empty()) return;
    if (down_) {
      if (monotonic_now() - probed_ < kProbeEvery) return;
      probed_ = monotonic_now();
      if (!feed_->journal().probe()) return;
      trouble_.clear();
      down_ = false;
      return status_.up();
    }
    down_ = true;
    probed_ = monotonic_now();
    status_.note(trouble_);
    status_.down();
  }

  JournalOptions journal_options_;
  SourceContext context_;
  LinkStatus status_;
  bool paused_ = false;
  std::unique_ptr<JournalFeed> feed_;  // lives as long as the source once it is open
  bool down_ = false;
  Duration probed_ = 0;

  std::mutex mutex_;  // guards what follows, and the setting of feed_
  bool open_ = false;
  unsigned submitting_ = 0;  // calls of submit() that are in the journal's append()
  std::condition_variable done_;
  std::string trouble_;
  bool full_ = false;  // as of the newest call, or nobody may send again
  JsonBody body_;
  Partitioner partitioner_;
};

Result<std::unique_ptr<Source>> make(const Params& params, const SourceContext& context) {
  if (context.problems != nullptr) return std::unique_ptr<Source>();
  return std::unique_ptr<Source>(std::make_unique<HttpSource>(journal_options(params, context), context));
}

}  // namespace

void register_http(SourceRegistry& registry) {
  Descriptor d;
  d.name = "http";
  d.summary = "Takes records by HTTP and journals them before it answers.";
  d.applies_to = "stream";
  d.params = journal_params();
  d.source = "RFC 9110 (HTTP), RFC 6585 (429), RFC 9457 (problem details)";
  d.example = "from:\n  http: {}\n";
  d.notes =
      "POST /api/v1/streams/NAME/records with a JSON object, an array of objects "
      "(application/json, or another that ends in +json) or JSON lines (application/x-ndjson, "
      "application/ndjson, application/jsonl, application/json-lines, text/plain). Without a content type, "
      "and with application/octet-stream or application/x-www-form-urlencoded, an array starts with [ and all else is one object or lines. "
      "CloudEvents envelopes (application/cloudevents+json, application/cloudevents-batch+json) are not read: post the data itself. All of "
      "a body's records are "
      "journaled, or none: 200 with their number once they are on disk; 400 when the body is not "
      "JSON, 413 when it has more than 100,000 records (or 16 MiB, or what service.limits.journal can hold), 415 for other content types, "
      "429 with Retry-After when the journal is "
      "full "
      "(service.limits.journal), 503 when the disk refuses or the stream is stopping. What is "
      "wrong inside a record is counted and quarantined like anywhere else. A client that sends "
      "again after a lost answer is counted twice: HTTP has no record id; use the check duplicate. "
      "Records are spread over virtual partitions by their sensor. The lag of partition 0 is that "
      "of the whole journal. Cost: one fdatasync for all requests that come together.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest
