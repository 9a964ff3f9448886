// driftd reference build: two passes over the input, the second through the ordinary window engine.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "app/commands/commands.h"
#include "app/commands/input.h"
#include "app/engine/stream_engine.h"
#include "core/text.h"
#include "stats/reference_builder.h"
#include "stats/reference_name.h"
#include "stats/reference_store.h"

namespace driftd::app {
namespace {

struct CountRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason reason, std::string_view detail) override {
    if (count++ == 0) first = std::string(to_string(reason)) + (detail.empty() ? "" : ": " + std::string(detail));
  }
  void extra_field(std::string_view) override {}
  std::uint64_t count = 0;
  std::string first;
};

// The records of a query between the passes: a query may not give the same rows twice.
class Spool {
 public:
  explicit Spool(const std::string& folder)
      : path_(folder + "/reference-" + std::to_string(getpid()) + ".jsonl"), file_(path_, std::ios::trunc) {}
  ~Spool() {
    file_.close();
    std::remove(path_.c_str());
  }
  Status add(const RawBatch& batch) {
    for (const RawRecord& r : batch.records) file_ << r.payload << '\n';
    return file_.good() ? Status() : Error{ErrorCode::kIo, path_ + ": cannot be written; is the disk full?"};
  }
  Result<std::string> finish() {
    file_.flush();
    if (!file_.good()) return Error{ErrorCode::kIo, path_ + ": cannot be written; is the disk full?"};
    return path_;
  }

 private:
  std::string path_;
  std::ofstream file_;
};

// What the second pass needs to know of the first.
struct FirstPass {
  std::set<std::uint32_t> partitions;
  std::vector<ingest::KafkaSpan> spans;
};

Status learn(const Config& config, const StreamConfig& stream, const InputOptions& input, stats::ReferenceBuilder& builder,
             stats::Provenance& provenance, Spool* spool, FirstPass& pass) {
  CountRejects rejects;
  const auto* unit = ingest::decoders().find(stream.decoder);
  auto decoder = unit->make(stream.decoder_params, stream.decode, stream.schema);
  if (!decoder) return decoder.error();
  Dictionaries dictionaries(stream.schema.fields.size(), sensor_policy(stream));
  Batch batch;
  auto read = read_input(config, stream, input, [&](RawBatch& raw) -> Status {
    pass.partitions.insert(raw.partition);
    batch.reset(stream.schema, raw.partition);
    BatchBuilder rows(batch, stream.schema, dictionaries);
    (*decoder)->decode(raw, rows, rejects);
    for (const Time t : batch.event_time) {
      provenance.first = provenance.first == kNoTime ? t : std::min(provenance.first, t);
      provenance.last = std::max(provenance.last, t);
    }
    builder.learn(batch, dictionaries);
    provenance.rows += batch.event_time.size();  // a header is no record
    return spool == nullptr ? Status() : spool->add(raw);
  });
  if (!read) return read.error();
  provenance.rejected = rejects.count;
  provenance.rows += rejects.count;
  if (rejects.count != 0) std::cerr << rejects.count << " record(s) rejected, the first as " << rejects.first << "\n";
  provenance.sources = std::move(read->sources);
  pass.spans = std::move(read->spans);
  return {};
}

Status count(const Config& config, const StreamConfig& stream, const InputOptions& input, const FirstPass& pass,
             stats::ReferenceBuilder& builder) {
  auto plan = make_counting_plan(stream, builder.freeze());
  if (!plan) return plan.error();
  CountRejects rejects;
  auto engine = StreamEngine::make(*plan, rejects, nullptr, [](ClosedWindow) {});
  if (!engine) return engine.error();
  (*engine)->set_window_tap([&](const stats::Window& window) { builder.add_window(window); });
  // Several partitions are read one after the other: windows wait in memory until all have passed.
  const bool several = pass.partitions.size() > 1;
  if (several) (*engine)->hold(true);
  const auto read = read_input(
      config, stream, input, [&](RawBatch& raw) { return (*engine)->process(raw); }, pass.spans);
  if (!read) return read.error();
  (*engine)->finish();
  if (several) (*engine)->hold(false);
  return {};
}

// Before everything is read, which may take long.
Status check_words(const std::string& name, const ReferenceBuildOptions& options) {
  if (const Status s = stats::check_reference_name(name); !s) return s;
  for (const std::string& tag : options.tags) {
    if (const Status s = stats::check_reference_word("tag", tag); !s) return s;
    if (tag == options.alias) return Error{ErrorCode::kInvalidArgument, "'" + tag + "' cannot be a tag and an alias; take another --tag"};
  }
  return options.alias.empty() ? Status() : stats::check_reference_word("alias", options.alias);
}

}  // namespace

int reference_build_command(const ReferenceBuildOptions& options) {
  const auto config = load_config(options.config, ReadFor::kData);
  if (!config) return fail(config.error());
  const auto picked = pick_stream(*config, options.stream);
  if (!picked) return fail(picked.error());
  const auto fitted = fit_to_input(**picked, options.input);
  if (!fitted) return fail(fitted.error());
  StreamConfig stream = *fitted;
  // Sensors are judged against the stream's profile; a tumbling history is what live windows are ranked in.
  std::erase_if(stream.windows.levels, [](const Level& level) { return level.kind == Level::Kind::kSensor; });
  if (std::none_of(stream.windows.levels.begin(), stream.windows.levels.end(),
                   [](const Level& l) { return l.kind == Level::Kind::kStream; })) {
    stream.windows.levels.insert(stream.windows.levels.begin(), Level{});
    stream.windows.levels.front().by = "stream";
  }
  stream.windows.slide = stream.windows.size;
  const std::string wanted = (*picked)->reference.substr(0, (*picked)->reference.find('@'));
  const std::string name = !options.name.empty() ? options.name : !wanted.empty() ? wanted : stream.name;
  if (const Status s = check_words(name, options); !s) return fail(s.error());
  const bool query = !options.input.query.empty();
  std::error_code code;
  std::filesystem::create_directories(config->service.data_dir, code);
  if (std::count(options.input.files.begin(), options.input.files.end(), "-") != 0) {
    return fail({ErrorCode::kInvalidArgument, "a reference reads its input twice; give files, not standard input"});
  }
  stats::ReferenceBuilder builder(stream.schema, stream.windows.size);
  stats::Provenance provenance;
  InputOptions second = options.input;
  std::optional<Spool> spool;
  if (query) spool.emplace(config->service.data_dir);
  FirstPass pass;
  if (const Status s = learn(*config, stream, options.input, builder, provenance, spool ? &*spool : nullptr, pass); !s)
    return fail(s.error());
  if (spool) {
    auto path = spool->finish();
    if (!path) return fail(path.error());
    second = {};
    second.files = {*path};
  }
  // Without a record there is nothing to count; a topic might have some by now.
  if (provenance.rows != 0) {
    if (const Status s = count(*config, stream, second, pass, builder); !s) return fail(s.error());
  }
  provenance.created_at = SystemClock().now();
  provenance.created_by = who();
  provenance.driftd_version = DRIFTD_VERSION;
  for (const std::string& note : options.notes) {
    const std::size_t equals = std::min(note.find('='), note.size());
    provenance.notes[note.substr(0, equals)] = note.substr(std::min(note.size(), equals + 1));
  }
  auto reference = builder.finish(name, std::move(provenance));
  if (!reference) return fail(reference.error());
  reference->tags = options.tags;
  auto store = stats::ReferenceStore::open(config->service.data_dir + "/references.db");
  if (!store) return fail(store.error());
  const auto version = (*store)->put(*reference);
  if (!version) return fail(version.error());
  if (!options.alias.empty()) {
    const Time now = SystemClock().now();
    if (const Status s = (*store)->promote(name, *version, options.alias, kNoTime, who(), now); !s) return fail(s.error());
  }
  std::cout << name << "@" << *version << " sha256:" << reference->hash << "\n  " << reference->provenance.rows << " records, "
            << reference->provenance.rejected << " rejected, " << format_time(reference->provenance.first) << " to "
            << format_time(reference->provenance.last) << "\n";
  return kExitOk;
}

}  // namespace driftd::app
