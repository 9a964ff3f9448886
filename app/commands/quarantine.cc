// driftd quarantine list, show, replay.
#include "app/commands/quarantine.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <unordered_set>

#include "app/commands/commands.h"
#include "app/commands/input.h"
#include "app/commands/quarantine_sent.h"
#include "app/config/config.h"
#include "core/clock.h"
#include "core/text.h"
#include "ingest/decoder.h"
#include "ingest/quarantine.h"

namespace driftd::app {
namespace {

// Replay keeps this much in memory; what is more is left for the next time (--reason, --partition).
constexpr std::size_t kMaxReplayBytes = 1U << 30;

std::string folder_of(const Config& config, const std::string& stream) { return config.service.data_dir + "/quarantine/" + stream; }

bool wanted(const QuarantineOptions& options, const ingest::QuarantinedRecord& record) {
  return (options.reason.empty() || record.reason == options.reason) && (!options.partition || record.partition == *options.partition);
}

std::string size_text(const ingest::QuarantinedRecord& r) {
  return std::to_string(r.size) + " bytes" +
         (r.truncated() ? ", of which the first " + std::to_string(r.payload.size()) + " were kept" : "");
}

void print(const ingest::QuarantinedRecord& r) {
  std::cout << format_time(r.time) << "  " << r.stream << " " << r.partition << ":" << r.position << "  " << r.reason;
  if (!r.detail.empty()) std::cout << " (" << excerpt(r.detail) << ")";
  if (!r.topic.empty()) std::cout << "  topic " << excerpt(r.topic);
  if (!r.key.empty()) std::cout << "  key " << excerpt(r.key);
  std::string shown;
  append_json_string(shown, r.payload);
  std::cout << "  " << size_text(r) << "\n  " << shown << (r.text ? "" : "  (not UTF-8)") << "\n";
}

Status list(const Config& config, const std::string& stream) {
  std::map<std::string, std::uint64_t> reasons;
  std::uint64_t records = 0, truncated = 0;
  Time first = kNoTime, last = kNoTime;
  const auto totals = ingest::read_quarantine(folder_of(config, stream), [&](const ingest::QuarantinedRecord& r) {
    ++reasons[r.reason];
    ++records;
    truncated += r.truncated() ? 1 : 0;
    first = first == kNoTime ? r.time : std::min(first, r.time);
    last = std::max(last, r.time);
  });
  if (!totals) return totals.error();
  std::cout << stream << ": " << records << " records, " << totals->bytes << " bytes";
  if (records != 0) std::cout << ", " << format_time(first) << " to " << format_time(last);
  std::cout << "\n";
  for (const auto& [reason, n] : reasons) std::cout << "  " << n << " " << excerpt(reason) << "\n";
  if (truncated != 0) std::cout << "  " << truncated << " of them were too long to keep whole\n";
  if (totals->again != 0) std::cout << "  " << totals->again << " more that were kept again after a kill\n";
  if (totals->damaged != 0) std::cout << "  " << totals->damaged << " damaged lines passed over\n";
  return {};
}

// The newest `limit`, oldest first.
Status show(const Config& config, const std::string& stream, const QuarantineOptions& options) {
  std::vector<ingest::QuarantinedRecord> ring;
  std::size_t next = 0;
  const auto totals = ingest::read_quarantine(folder_of(config, stream), [&](ingest::QuarantinedRecord r) {
    if (!wanted(options, r)) return;
    if (ring.size() < options.limit) {
      ring.push_back(std::move(r));
    } else if (options.limit != 0) {
      ring[next++ % options.limit] = std::move(r);
    }
  });
  if (!totals) return totals.error();
  for (std::size_t i = 0; i < ring.size(); ++i) print(ring[(next + i) % ring.size()]);
  return {};
}

// Why the decoder refuses a record; empty: it does not.
struct Verdict final : RejectSink {
  void reject(const RawRecord&, RejectReason why, std::string_view) override { reason = to_string(why); }
  void extra_field(std::string_view) override {}
  std::string reason;
};

// Decodes each record as its partition's decoder would now.
class Redecoder {
 public:
  explicit Redecoder(const StreamConfig& stream) : stream_(stream) {}

  Result<std::string> judge(const ingest::QuarantinedRecord& r) {
    if (r.truncated()) return std::string("not kept whole");
    if (!r.whole_key) return std::string("its key was not kept whole");
    auto& decoder = decoders_[r.partition];
    if (decoder == nullptr) {
      auto made = ingest::decoders().find(stream_.decoder)->make(stream_.decoder_params, stream_.decode, stream_.schema);
      if (!made) return made.error();
      decoder = std::move(*made);
    }
    RawBatch raw;
    raw.partition = r.partition;
    RawRecord& record = raw.records.emplace_back();
    record.payload = r.payload;
    record.key = r.key;
    record.topic = r.topic;
    record.arrival = std::max(r.arrival, now_);  // of a record that is sent again
    record.position = r.position;
    Batch batch;
    batch.reset(stream_.schema, r.partition);
    Dictionaries dictionaries(stream_.schema.fields.size());
    BatchBuilder builder(batch, stream_.schema, dictionaries);
    Verdict verdict;
    decoder->decode(raw, builder, verdict);
    if (verdict.reason.empty() && batch.rows() == 0) return std::string("a header");
    return verdict.reason;
  }

 private:
  const StreamConfig& stream_;
  const Time now_ = SystemClock().now();
  std::map<std::uint32_t, std::unique_ptr<ingest::Decoder>> decoders_;
};

// Sends and notes what arrived; says how many that were.
Status send(const StreamConfig& stream, const std::string& to, const std::vector<ingest::QuarantinedRecord>& records, SentRecords& noted) {
  constexpr std::string_view kKafka = "kafka:";
  std::size_t sent = 0;
  const OnSent on_sent = [&](const std::vector<std::size_t>& which) {
    std::vector<std::uint64_t> identities;
    for (const std::size_t i : which) identities.push_back(records[i].identity());
    sent += which.size();
    return noted.note(identities);
  };
  const Status done = to.starts_with(kKafka) ? send_to_kafka(to.substr(kKafka.size()), stream, records, on_sent)
                                             : send_to_driftd(to, stream, records, on_sent);
  std::cout << "  " << sent << " sent to " << to << "\n";
  return done;
}

Status replay(const Config& config, const StreamConfig& stream, const QuarantineOptions& options) {
  std::optional<SentRecords> noted;
  if (!options.to.empty()) {
    auto opened = SentRecords::open(folder_of(config, stream.name), options.to.substr(0, options.to.find_last_not_of('/') + 1));
    if (!opened) return opened.error();
    noted.emplace(std::move(*opened));
  }
  std::unordered_set<std::uint64_t> before;  // sent there, and still in quarantine
  std::uint64_t skipped = 0, counted = 0;
  Redecoder redecoder(stream);
  std::map<std::pair<std::string, std::string>, std::uint64_t> outcomes;  // was, is now
  std::vector<ingest::QuarantinedRecord> good;
  std::size_t bytes = 0, left = 0;
  Status failed;
  const auto totals = ingest::read_quarantine(folder_of(config, stream.name), [&](ingest::QuarantinedRecord r) {
    const bool known = noted && noted->has(r.identity());
    if (known) before.insert(r.identity());
    if (!failed || !wanted(options, r)) return;
    if (r.reason == ingest::kFailedReason && !options.failed) {
      ++counted;
      return;
    }
    const auto now = redecoder.judge(r);
    if (!now) {
      failed = now.error();
      return;
    }
    ++outcomes[{r.reason, *now}];
    if (!now->empty() || options.to.empty()) return;
    if (known && !options.again) {
      ++skipped;
      return;
    }
    bytes += r.payload.size();
    if (bytes > kMaxReplayBytes) {
      ++left;
    } else {
      good.push_back(std::move(r));
    }
  });
  if (!totals) return totals.error();
  if (!failed) return failed;
  std::uint64_t accepted = 0, all = 0;
  for (const auto& [outcome, n] : outcomes) {
    all += n;
    accepted += outcome.second.empty() ? n : 0;
  }
  std::cout << stream.name << ": " << all << " records, of which " << accepted << " would be accepted now\n";
  for (const auto& [outcome, n] : outcomes) {
    std::cout << "  " << n << " " << excerpt(outcome.first) << " -> " << (outcome.second.empty() ? "accepted" : outcome.second) << "\n";
  }
  if (counted != 0)
    std::cout << "  " << counted << " left out: they failed a check, but were accepted and counted; --failed takes them too\n";
  if (!noted) return {};
  if (skipped != 0) std::cout << "  " << skipped << " not sent: they were sent there before; --again sends them too\n";
  if (const Status s = good.empty() ? Status() : noted->keep_only(before); !s) return s;
  const Status done = send(stream, options.to, good, *noted);
  if (left != 0) std::cout << "  " << left << " not sent: more than 1 GiB at once; select with --reason or --partition\n";
  return done;
}

}  // namespace

int quarantine_command(const std::string& action, const QuarantineOptions& options) {
  const auto config = load_config(options.config, ReadFor::kData);
  if (!config) return fail(config.error());
  if (action == "list" && options.stream.empty()) {
    for (const StreamConfig& stream : config->streams) {
      if (const Status s = list(*config, stream.name); !s) return fail(s.error());
    }
    return kExitOk;
  }
  const auto stream = pick_stream(*config, options.stream);
  if (!stream) return fail(stream.error());
  const Status done = action == "list"   ? list(*config, (*stream)->name)
                      : action == "show" ? show(*config, (*stream)->name, options)
                                         : replay(*config, **stream, options);
  return done ? kExitOk : fail(done.error());
}

}  // namespace driftd::app
