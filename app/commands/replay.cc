// driftd replay: recorded data through the same engine, without side effects.
#include <fstream>
#include <iostream>
#include <map>

#include "alerts/alert_book.h"
#include "app/commands/commands.h"
#include "app/commands/input.h"
#include "app/engine/reference_plans.h"
#include "app/engine/stream_engine.h"
#include "app/run/finding_hub.h"
#include "core/text.h"
#include "stats/reference_name.h"
#include "stats/reference_store.h"

namespace driftd::app {
namespace {

struct Summary final : RejectSink {
  void reject(const RawRecord&, RejectReason reason, std::string_view) override { ++rejects[reason]; }
  void extra_field(std::string_view) override {}
  std::map<RejectReason, std::uint64_t> rejects;
  std::map<std::tuple<std::string, std::string, std::string>, std::map<std::string, std::uint64_t>> found;  // check, field, by: verdict
  std::uint64_t windows = 0, warns = 0, fails = 0, alerts = 0;
};

// A file, standard output for "-", or nothing for "".
class Output {
 public:
  Status open(const std::string& path) {
    if (path.empty()) return {};
    if (path == "-") {
      out_ = &std::cout;
      return {};
    }
    file_.open(path, std::ios::trunc);
    if (!file_) return Error{ErrorCode::kIo, path + ": cannot be written"};
    out_ = &file_;
    return {};
  }
  void write(const std::string& text) {
    if (out_ != nullptr) *out_ << text;
  }
  Status close(const std::string& path) {
    if (out_ == nullptr) return {};
    out_->flush();
    return out_->good() ? Status() : Error{ErrorCode::kIo, path + ": cannot be written"};
  }

 private:
  std::ofstream file_;
  std::ostream* out_ = nullptr;
};

void print(const Summary& s, const StreamEngine& engine, const std::vector<PlanEdition>& plans, std::ostream& out) {
  const PartitionCounters counters = engine.counters();
  out << "stream " << plans.front().plan->config.name << ": " << counters.accepted << " records, " << counters.late << " late, "
      << s.windows << " windows";
  for (const PlanEdition& edition : plans) {
    const auto& reference = edition.plan->reference;
    if (reference == nullptr) continue;
    out << ", reference " << reference->name << "@" << reference->version;
    if (edition.from != kNoTime) out << " from " << format_time(edition.from);
  }
  out << "\n";
  for (const auto& [reason, n] : s.rejects) out << "  rejected: " << n << " " << to_string(reason) << "\n";
  if (counters.accepted == 0) {
    out << "  nothing was judged: no record was accepted\n";
  } else if (s.windows == 0) {
    out << "  nothing was judged: no window was closed\n";
  } else if (s.found.empty()) {
    out << "  every check was fine\n";
  }
  for (const auto& [key, verdicts] : s.found) {
    const auto& [check, field, by] = key;
    out << "  " << check << (field.empty() ? "" : " " + field) << " (" << by << "):";
    for (const auto& [word, n] : verdicts) out << " " << n << " " << word;
    out << "\n";
  }
  out << "  alerts: " << s.alerts << "\n";
}

Result<std::vector<stats::ReferenceEdition>> references_of(const Config& config, const StreamConfig& stream, const std::string& asked) {
  const std::string& which = asked.empty() ? stream.reference : asked;
  const std::string path = config.service.data_dir + "/references.db";
  std::vector<stats::ReferenceEdition> none;
  if (which.empty()) return none;
  if (!stats::names_reference(which)) {
    return Error{ErrorCode::kInvalidArgument,
                 "--reference '" + excerpt(which, 60) + "' names no reference; write NAME@VERSION, NAME@TAG or NAME@ALIAS"};
  }
  if (!std::ifstream(path)) {
    if (asked.empty()) return none;
    return Error{ErrorCode::kNotFound, "there are no references yet in " + config.service.data_dir};
  }
  auto store = stats::ReferenceStore::open(path);
  if (!store) return store.error();
  auto found = (*store)->history(which);
  if (found) return for_recorded_data(std::move(*found));
  if (asked.empty() && found.error().code == ErrorCode::kNotFound) return none;
  return found.error();
}

}  // namespace

int replay_command(const ReplayOptions& options) {
  const auto config = load_config(options.config, ReadFor::kData);
  if (!config) return fail(config.error());
  const auto stream = pick_stream(*config, options.stream);
  if (!stream) return fail(stream.error());
  const auto fitted = fit_to_input(**stream, options.input);
  if (!fitted) return fail(fitted.error());
  const StreamConfig& used = *fitted;
  const auto references = references_of(*config, used, options.reference);
  if (!references) return fail(references.error());
  const auto plans = make_plans(used, *references, options.all);
  if (!plans) return fail(plans.error());
  Output findings, alert_lines;
  for (const auto& [output, path] : {std::pair(&findings, &options.findings), std::pair(&alert_lines, &options.alerts)}) {
    if (const Status s = output->open(*path); !s) return fail(s.error());
  }
  Summary summary;
  alerts::AlertBook book(config->alerts.rules);
  std::vector<alerts::AlertEvent> none;
  book.configure(used.name, judged_of(used), none);
  const auto on_window = [&](ClosedWindow closed) {
    std::string lines;
    for (const Finding& f : closed.findings) {
      append_json(lines, f);
      lines += '\n';
      if (f.verdict != Verdict::kOk) book.take(f);
      summary.warns += f.verdict == Verdict::kWarn ? 1 : 0;
      summary.fails += f.verdict == Verdict::kFail ? 1 : 0;
      ++summary.found[{f.check, f.field, f.segment.by}][f.verdict == Verdict::kNoVerdict ? "no_verdict:" + f.reason : to_string(f.verdict)];
    }
    findings.write(lines);
    summary.windows += closed.windows;
    std::vector<alerts::AlertEvent> events;
    book.close(closed.stream, closed.end, closed.judged, events);
    for (const alerts::AlertEvent& e : events) {
      if (e.type == alerts::AlertEvent::Type::kUpdated) continue;
      summary.alerts += e.type == alerts::AlertEvent::Type::kFiring ? 1 : 0;
      std::string line;
      append_json(line, e.alert);
      alert_lines.write(line + "\n");
    }
  };
  const StreamConfig& stream_config = plans->front().plan->config;
  auto engine = StreamEngine::make(plans->front().plan, summary, nullptr, on_window);
  if (!engine) return fail(engine.error());
  for (std::size_t i = 1; i < plans->size(); ++i) {
    if (const Status s = (*engine)->adopt((*plans)[i]); !s) return fail(s.error());
  }
  // The partitions of a topic are read one after the other; windows wait until all have passed.
  const bool several = !options.input.kafka_topic.empty();
  if (several) (*engine)->hold(true);
  const auto read = read_input(*config, stream_config, options.input, [&](RawBatch& batch) { return (*engine)->process(batch); });
  if (!read) return fail(read.error());
  if (several) (*engine)->hold(false);
  (*engine)->finish();
  for (const auto& [output, path] : {std::pair(&findings, &options.findings), std::pair(&alert_lines, &options.alerts)}) {
    if (const Status s = output->close(*path); !s) return fail(s.error());
  }
  print(summary, **engine, *plans, options.findings == "-" || options.alerts == "-" ? std::cerr : std::cout);
  if ((*engine)->counters().accepted == 0) return fail({ErrorCode::kUnavailable, "no record was accepted, so nothing was judged"});
  if (options.fail_on == "warn" && summary.warns + summary.fails > 0) return kExitVerdict;
  if (options.fail_on == "fail" && summary.fails > 0) return kExitVerdict;
  if (options.fail_on == "alert" && summary.alerts > 0) return kExitVerdict;
  return kExitOk;
}

}  // namespace driftd::app
