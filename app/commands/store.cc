// driftd store verify, inspect. They only read, also what a running driftd has open.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/commands/store_files.h"
#include "app/config/config.h"
#include "app/config/database_connection.h"
#include "app/run/checkpoint_check.h"
#include "core/clock.h"
#include "core/text.h"

namespace driftd::app {
namespace {

std::string time_of(Time t) { return t == kNoTime ? "-" : format_time(t); }

// The plans by which states can be loaded. A stream that has none is named, and its states are not loaded.
StateLoader loader_of(const Config& config) {
  StateLoader loader;
  const std::string file = config.service.data_dir + "/references.db";
  std::unique_ptr<stats::ReferenceStore> references;
  std::string why;
  if (std::filesystem::exists(file)) {
    auto opened = stats::ReferenceStore::open(file);
    if (opened) references = std::move(*opened);
    if (!opened) why = opened.error().message;
  }
  for (const StreamConfig& stream : config.streams) {
    const bool unknown = !stream.reference.empty() && !why.empty();
    auto plans = unknown ? Result<std::vector<PlanEdition>>(Error{ErrorCode::kIo, why})
                         : plans_for(stream, references.get(), config.service.findings_all);
    if (plans) {
      loader.know(stream.name, std::move(*plans));
    } else {
      std::cerr << "driftd: stream " << stream.name
                << ": its states are not loaded, only their checksums compared: " << plans.error().message << "\n";
    }
  }
  return loader;
}

void print_heading(const CheckedGeneration& g) {
  if (g.generation.number == 0) {  // of a shared store
    std::cout << "the shared store, " << format_time(g.generation.at) << "\n";
    return;
  }
  std::cout << "checkpoint " << g.generation.number << ", " << format_time(g.generation.at) << "\n";
}

int verify(const std::vector<CheckedGeneration>& checked, const Status& pages) {
  for (const CheckedGeneration& g : checked) {
    print_heading(g);
    for (const CheckedPart& part : g.parts) {
      std::cout << "  " << part.name() << ": " << (part.intact ? "whole" : "damaged: " + part.intact.error().message) << "\n";
    }
    if (!g.readable) std::cout << "  the rest cannot be read: " << g.readable.error().message << "\n";
  }
  if (!pages) std::cout << "pages of the file: damaged: " << excerpt(pages.error().message, 300) << "\n";
  if (checked.empty()) {
    std::cout << "there is no checkpoint" << (pages ? " yet" : "") << "\n";
    return pages ? kExitOk : kExitFailure;
  }
  const CheckedGeneration& best = checked[best_of(checked)];
  const bool all = std::all_of(checked.begin(), checked.end(), [](const CheckedGeneration& g) { return g.damaged() == 0; });
  if (all && pages) {
    std::cout << "every part is whole\n";
    return kExitOk;
  }
  if (best.damaged() == 0) {
    if (all) {
      std::cout << "every checkpoint is whole; driftd makes a new file when it comes to the damaged pages\n";
      return kExitVerdict;
    }
    std::cout << "damaged; driftd would go on from checkpoint " << best.generation.number << ", which is whole: nothing is lost\n";
    return kExitVerdict;
  }
  std::cout << "no checkpoint is whole; driftd would go on from checkpoint " << best.generation.number
            << ", and what is damaged in it is lost\n";
  return kExitFailure;
}

void inspect(const std::vector<CheckedGeneration>& checked) {
  for (const CheckedGeneration& g : checked) {
    print_heading(g);
    for (const CheckedPart& part : g.parts) {
      std::cout << "  " << part.name() << ":";
      if (!part.stream.empty() && part.partition >= 0) {
        std::cout << " next " << part.position << ", newest event " << time_of(part.newest) << ",";
      }
      if (!part.stream.empty()) {
        std::cout << " closed until " << time_of(part.closed_until) << ", configuration " << part.config_hash.substr(0, 16) << ",";
      }
      if (!part.owner.empty()) std::cout << " of " << part.owner << ",";
      std::cout << " " << part.bytes << " bytes" << (part.intact ? "" : ", damaged") << "\n";
    }
  }
  if (checked.empty()) std::cout << "there is no checkpoint yet\n";
}

void inspect_json(const std::vector<CheckedGeneration>& checked) {
  using nlohmann::ordered_json;
  ordered_json out = {{"checkpoints", ordered_json::array()}};
  for (const CheckedGeneration& g : checked) {
    ordered_json one = {{"number", g.generation.number}, {"time", format_time(g.generation.at)}, {"damaged", g.damaged()}};
    one["parts"] = ordered_json::array();
    for (const CheckedPart& part : g.parts) {
      ordered_json p = {{"part", part.stream.empty() || part.partition == kAlertsUnit ? "alerts"
                                 : part.partition == kMergerUnit                      ? "merger"
                                                                                      : "partition"}};
      if (!part.stream.empty()) {
        p["stream"] = part.stream;
        if (part.partition >= 0) p["partition"] = part.partition;
        if (part.partition >= 0) p["position"] = part.position;
        if (part.newest != kNoTime) p["newest_event"] = format_time(part.newest);
        if (part.closed_until != kNoTime) p["closed_until"] = format_time(part.closed_until);
        p["configuration"] = part.config_hash;
      }
      if (!part.owner.empty()) p["instance"] = part.owner;
      p["bytes"] = part.bytes;
      if (!part.intact) p["damaged"] = part.intact.error().message;
      one["parts"].push_back(std::move(p));
    }
    out["checkpoints"].push_back(std::move(one));
  }
  // Names of a damaged row may be anything.
  std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

// What several driftd have in a database, as it is now: states that are being written are the old ones or the new ones.
int shared_store(const std::string& action, const Config& config, const StateLoader& loader, bool json) {
  const auto connection = database_connection(config, config.service.store);
  if (!connection) return fail(connection.error());
  const auto store = MysqlStore::open_to_read(*connection);
  const std::vector<CheckedGeneration> checked = {check_shared(*store, SystemClock().now(), loader)};
  const CheckedGeneration& all = checked.front();
  if (!all.readable) return fail(all.readable.error());
  if (action != "verify") {
    json ? inspect_json(checked) : inspect(checked);
    return kExitOk;
  }
  const bool files = print_store_files(config.service.data_dir);
  print_heading(all);
  for (const CheckedPart& part : all.parts) {
    std::cout << "  " << part.name() << " (" << part.owner << "): " << (part.intact ? "whole" : "damaged: " + part.intact.error().message)
              << "\n";
  }
  std::cout << (all.damaged() == 0 ? "every part is whole\n" : "damaged: a partition warms up from its position, a merger is not led\n");
  if (all.damaged() != 0) return kExitFailure;
  return files ? kExitOk : kExitVerdict;
}

}  // namespace

int store_command(const std::string& action, const StoreOptions& options) {
  if (options.config.empty() == options.data_dir.empty()) {
    return fail({ErrorCode::kInvalidArgument, "which store? name the configuration file, or the folder with --data-dir"});
  }
  StateLoader loader;
  std::string folder = options.data_dir;
  if (folder.empty()) {
    const auto config = load_config(options.config, ReadFor::kData);
    if (!config) return fail(config.error());
    folder = config->service.data_dir;
    loader = loader_of(*config);
    if (!config->service.store.empty()) return shared_store(action, *config, loader, options.json);
  }
  const auto store = SqliteStore::open_to_read(folder + "/state.db");
  if (!store) return fail(store.error());
  const auto generations = (*store)->generations();
  if (!generations) return fail(generations.error());
  std::vector<CheckedGeneration> checked;
  for (const Generation& g : *generations) checked.push_back(check_generation(**store, g, loader));
  if (action == "verify") {
    const bool files = print_store_files(folder);
    const int status = verify(checked, (*store)->pages());
    if (!files)
      std::cout << "a file beside the checkpoints is not: driftd begins outbox.db anew, and runs without references that it cannot read\n";
    return files ? status : std::max(status, int{kExitVerdict});
  }
  options.json ? inspect_json(checked) : inspect(checked);
  return kExitOk;
}

}  // namespace driftd::app
