// driftd demo: a simulated plant through an embedded Kafka and the real service, with planted faults.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <set>

#include "app/commands/commands.h"
#include "app/commands/demo_plan.h"
#include "app/commands/embedded_kafka.h"
#include "app/engine/stream_engine.h"
#include "app/run/service.h"
#include "core/log.h"
#include "exporters/http_server.h"
#include "stats/reference_builder.h"

namespace driftd::app {
namespace {

struct NoRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override {}
  void extra_field(std::string_view) override {}
};

// A folder that goes with the demo.
struct TempFolder {
  TempFolder() {
    char name[] = "/tmp/driftd-demo-XXXXXX";
    path = mkdtemp(name) != nullptr ? name : "";
  }
  ~TempFolder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

// A day of the healthy plant, as rows: what the reference is learnt from.
Status learn_reference(const StreamConfig& stream, ingest::PlantOptions options, const std::string& data_dir) {
  options.faults.clear();
  options.start -= kDay;
  options.seed += 1;
  options.interval = 30 * kSecond;
  StreamConfig used = stream;
  std::erase_if(used.windows.levels, [](const Level& l) { return l.kind == Level::Kind::kSensor; });
  stats::ReferenceBuilder builder(used.schema, used.windows.size);
  NoRejects rejects;
  stats::Provenance provenance;
  std::unique_ptr<StreamEngine> engine;
  auto decoder = ingest::decoders().find(used.decoder)->make(used.decoder_params, used.decode, used.schema);
  if (!decoder) return decoder.error();
  Dictionaries dictionaries(used.schema.fields.size());
  for (int pass = 0; pass < 2; ++pass) {
    if (pass == 1) {
      auto plan = make_counting_plan(used, builder.freeze());
      if (!plan) return plan.error();
      auto made = StreamEngine::make(*plan, rejects, nullptr, [](ClosedWindow) {});
      if (!made) return made.error();
      engine = std::move(*made);
      engine->set_window_tap([&](const stats::Window& window) { builder.add_window(window); });
    }
    ingest::Plant plant(options);
    std::vector<ingest::PlantRecord> records;
    while (plant.next_time() < options.start + kDay) {
      records.clear();
      for (int i = 0; i < 100 && plant.next_time() < options.start + kDay; ++i) plant.tick(records);
      RawBatch raw;
      for (const ingest::PlantRecord& r : records) {
        RawRecord one;
        one.payload = r.json;
        raw.records.push_back(one);
      }
      if (engine != nullptr) {
        if (const Status s = engine->process(raw); !s) return s;
        continue;
      }
      Batch batch;
      batch.reset(used.schema, 0);
      BatchBuilder rows(batch, used.schema, dictionaries);
      (*decoder)->decode(raw, rows, rejects);
      builder.learn(batch, dictionaries);
      provenance.rows += records.size();
    }
  }
  engine->finish();
  provenance.created_at = SystemClock().now();
  provenance.created_by = "driftd demo";
  provenance.sources = {"simulated plant, one day"};
  auto reference = builder.finish("pumps", std::move(provenance));
  if (!reference) return reference.error();
  auto store = stats::ReferenceStore::open(data_dir + "/references.db");
  if (!store) return store.error();
  const auto version = (*store)->put(*reference);
  if (!version) return version.error();
  return (*store)->promote("pumps", *version, "production", 0, "driftd demo", SystemClock().now());
}

// Watches findings, prints what is new, and ticks the planted faults off.
class Watcher {
 public:
  Watcher(std::vector<PlantedFault>& faults, Time start) : faults_(faults), start_(start) {}

  void look(Service& service) {
    exporters::FindingsQuery query;
    query.limit = 1000;
    query.verdicts = {Verdict::kFail, Verdict::kWarn};
    const auto page = service.hub().findings().query(query);
    if (!page) return;
    for (auto it = page->findings.rbegin(); it != page->findings.rend(); ++it) {
      if (seen_.insert(it->id).second) take(*it);
    }
  }
  std::size_t early() const { return early_; }

 private:
  void take(const Finding& f) {
    if (f.window_end <= start_ + faults_.front().from) {
      ++early_;
      show(f, "BEFORE ANY FAULT");
    }
    for (PlantedFault& fault : faults_) {
      if (!names(f, fault, start_) || fault.found_at != kNoTime) continue;
      fault.found_at = f.window_end;
      fault.found_by = f.check + (f.field.empty() ? "" : " of " + f.field);
      show(f, fault.what);
    }
  }
  static void show(const Finding& f, const std::string& what) {
    std::printf("  %s  found    %-13s %-12s %-18s value %-9.4g %s\n", clock_of(f.window_end).c_str(), f.check.c_str(), f.field.c_str(),
                (f.segment.value.empty() ? f.segment.by : f.segment.by + " " + f.segment.value).c_str(), f.value.value_or(0), what.c_str());
    std::fflush(stdout);
  }
  std::vector<PlantedFault>& faults_;
  Time start_;
  std::set<std::string> seen_;
  std::size_t early_ = 0;
};

// A service that cannot listen must not fail only after a minute of learning.
Status can_listen(const std::string& address) {
  exporters::HttpServer::Options options;
  options.listen = address;
  options.threads = 1;
  const auto server = exporters::HttpServer::start(options, exporters::Router(), nullptr);
  return server ? Status() : server.error();
}

}  // namespace

int demo_command(const DemoOptions& options) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto duration = options.duration.empty() ? std::optional<Duration>(0) : parse_duration(options.duration);
  if (!duration || (*duration != 0 && *duration < 20 * kSecond)) {
    return fail({ErrorCode::kInvalidArgument, "--duration '" + options.duration + "' must be a duration of at least 20s"});
  }
  const auto speed = demo_speed(options.speed, *duration);
  if (!speed) return fail(speed.error());
  log::set_level(log::Level::kWarning);
  if (const Status s = can_listen(options.listen); !s) return fail(s.error());
  const TempFolder folder;
  auto kafka = EmbeddedKafka::start("plant.pumps", 3);
  if (!kafka) return fail(kafka.error());
  std::vector<PlantedFault> faults = demo_faults();
  ingest::PlantOptions plant_options;
  plant_options.interval = 10 * kSecond;
  for (const PlantedFault& f : faults) plant_options.faults.push_back({f.kind, f.sensors, f.from, f.to});
  ErrorList errors;
  Config config = read_config(demo_config((*kafka)->brokers(), folder.path, options.listen), folder.path, errors);
  if (!errors.empty()) return fail({ErrorCode::kInternal, format_errors("demo", errors)});
  std::printf("driftd demo: 24 pumps, %zu faults to come\n  learning a reference from a healthy day ...\n", faults.size());
  std::fflush(stdout);
  if (const Status s = learn_reference(config.streams.front(), plant_options, folder.path); !s) return fail(s.error());
  Service service(std::move(config), "");
  if (const Status s = service.start(); !s) return fail(s.error());
  std::printf("  metrics, API and page: http://%s/  (times below are the plant's)\n", options.listen.c_str());
  const Duration began = monotonic_now();
  ingest::Plant plant(plant_options);
  Watcher watcher(faults, plant_options.start);
  std::vector<ingest::PlantRecord> records;
  std::size_t next_fault = 0;
  bool told = false;
  Time judged_until = kNoTime;
  const auto tell = [&](std::size_t early) {
    std::fputs(demo_summary(faults, early, plant_options.start, judged_until).c_str(), stdout);
    std::fflush(stdout);
  };
  const timespec tick{0, 50 * kMillisecond};
  for (;;) {
    const Duration elapsed = monotonic_now() - began;
    const Time until = plant_options.start + static_cast<Time>(static_cast<double>(elapsed) * *speed);
    while (plant.next_time() <= until) {
      if (next_fault < faults.size() && plant.next_time() >= plant_options.start + faults[next_fault].from) {
        std::printf("  %s  planted  %s\n", clock_of(plant.next_time()).c_str(), faults[next_fault].what.c_str());
        ++next_fault;
      }
      records.clear();
      plant.tick(records);
      for (const ingest::PlantRecord& r : records) {
        if (const Status s = (*kafka)->produce(ingest::Plant::sensor_name(r.sensor), r.json); !s) return fail(s.error());
      }
    }
    std::fflush(stdout);
    watcher.look(service);
    judged_until = service.stream_status().front().complete_until;
    if (judged_until != kNoTime && judged_until >= plant_options.start + demo_length() - kDemoWindow && !told) {
      told = true;
      watcher.look(service);  // what was judged since the last look
      tell(watcher.early());
      if (*duration != 0) break;
      std::printf("the plant goes on healthy; Ctrl-C ends the demo\n");
    }
    std::fflush(stdout);
    const bool over = *duration != 0 && elapsed > *duration + 30 * kSecond;
    if (over || sigtimedwait(&signals, nullptr, &tick) > 0) break;
  }
  service.stop();
  if (!told) tell(watcher.early());
  return demo_outcome(faults, watcher.early(), plant_options.start, judged_until).good() ? kExitOk : kExitVerdict;
}

}  // namespace driftd::app
