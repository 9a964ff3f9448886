// driftd reference list, show, diff, promote, rollback, export, import; outbox; store.
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "alerts/outbox.h"
#include "app/commands/commands.h"
#include "app/config/config.h"
#include "app/config/yaml.h"
#include "core/clock.h"
#include "core/files.h"
#include "core/text.h"
#include "stats/reference_store.h"

namespace driftd::app {
namespace {

enum class Absent { kSay, kIsFine, kMake };  // what to do when there is no store yet

// Runs `body` on the configuration's store. Looking at references makes none.
template <class F>
int with_store(const std::string& path, Absent absent, F body) {
  const auto config = load_config(path, ReadFor::kData);
  if (!config) return fail(config.error());
  const std::string& folder = config->service.data_dir;
  const std::string file = folder + "/references.db";
  std::error_code code;
  if (absent == Absent::kMake) {
    std::filesystem::create_directories(folder, code);
    if (code) return fail({ErrorCode::kIo, "cannot make data_dir " + folder + ": " + code.message()});
  } else if (!std::filesystem::exists(file, code) && !code) {
    const std::string none = "there are no references yet in " + folder + "; see driftd reference build --help";
    if (absent == Absent::kSay) return fail({ErrorCode::kNotFound, none});
    std::cout << none << "\n";
    return kExitOk;
  }
  const auto store = stats::ReferenceStore::open(file);
  if (!store) return fail(store.error());
  const Status done = body(**store);
  return done ? kExitOk : fail(done.error());
}

std::string label(const stats::Reference& r) { return r.name + "@" + std::to_string(r.version); }

}  // namespace

std::string who() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const passwd* user = getpwuid(geteuid());
  return std::string(user != nullptr ? user->pw_name : std::to_string(geteuid())) + "@" + host;
}

int reference_list_command(const std::string& config) {
  return with_store(config, Absent::kIsFine, [](stats::ReferenceStore& store) -> Status {
    const auto all = store.list();
    if (!all) return all.error();
    if (all->empty()) std::cout << "no references yet; see driftd reference build --help\n";
    for (const stats::ReferenceSummary& r : *all) {
      std::cout << r.name << "@" << r.version << "  " << r.hash.substr(0, 12) << "  " << format_time(r.provenance.created_at) << "  "
                << r.provenance.rows << " records";
      if (!r.tags.empty()) std::cout << "  tags: " << join(r.tags, " ");
      if (!r.aliases.empty()) std::cout << "  aliases: " << join(r.aliases, " ");
      std::cout << "\n";
    }
    return {};
  });
}

int reference_show_command(const std::string& config, const std::string& which) {
  return with_store(config, Absent::kSay, [&](stats::ReferenceStore& store) -> Status {
    const auto r = store.resolve(which);
    if (!r) return r.error();
    const stats::Provenance& p = r->provenance;
    std::cout << label(*r) << "\n  hash     sha256:" << r->hash << "\n  tags     " << join(r->tags, " ") << "\n  built    "
              << format_time(p.created_at) << " by " << p.created_by << ", driftd " << p.driftd_version << "\n  from     "
              << join(p.sources, "\n           ") << "\n  records  " << p.rows << ", " << p.rejected << " rejected, "
              << format_time(p.first) << " to " << format_time(p.last) << "\n  windows  " << format_duration(r->window) << ", "
              << r->history.size() << " histories\n";
    for (const auto& [key, value] : p.notes) std::cout << "  note     " << key << "=" << value << "\n";
    for (const stats::FieldProfile& f : r->profile({})->fields) {
      std::cout << "  " << f.name << " (" << to_string(f.kind) << "): " << f.valid << " values, " << f.missing + f.null << " null, "
                << f.bins.size() << " bins";
      if (f.moments.n != 0) {
        std::cout << ", mean " << format_number(f.moments.mean) << ", sd " << format_number(f.moments.stddev()) << ", "
                  << format_number(f.moments.min) << " to " << format_number(f.moments.max);
      }
      std::cout << "\n";
    }
    const auto promotions = store.promotions(r->name);
    if (!promotions) return promotions.error();
    for (const stats::Promotion& promotion : *promotions) {
      const std::string from = promotion.valid_from != kNoTime ? format_time(promotion.valid_from) : "the beginning";
      std::cout << "  " << promotion.alias << " -> " << promotion.version << " for windows from " << from
                << (promotion.settled ? "" : ", not in use yet") << ", by " << promotion.who << " at " << format_time(promotion.at) << "\n";
    }
    return {};
  });
}

int reference_diff_command(const std::string& config, const std::string& a, const std::string& b) {
  return with_store(config, Absent::kSay, [&](stats::ReferenceStore& store) -> Status {
    const auto left = store.resolve(a), right = store.resolve(b);
    if (!left) return left.error();
    if (!right) return right.error();
    const auto lines = stats::differences(*left, *right);
    std::cout << label(*left) << " and " << label(*right) << (lines.empty() ? " are the same\n" : ":\n");
    for (const std::string& line : lines) std::cout << "  " << line << "\n";
    return {};
  });
}

int reference_promote_command(const std::string& config, const std::string& which, const std::string& alias, const std::string& at) {
  return with_store(config, Absent::kSay, [&](stats::ReferenceStore& store) -> Status {
    const Time now = SystemClock().now();
    const auto from = at.empty() ? std::optional<Time>(kNoTime) : parse_time(at);
    if (!from) return Error{ErrorCode::kInvalidArgument, "--at '" + at + "' is no time as 2026-01-01T00:00:00Z"};
    const auto r = store.resolve(which);
    if (!r) return r.error();
    if (const Status s = store.promote(r->name, r->version, alias, *from, who(), now); !s) return s;
    std::cout << r->name << "@" << alias << " is version " << r->version
              << (at.empty() ? " from the next window on" : " for windows from " + format_time(*from)) << "\n";
    return {};
  });
}

int reference_rollback_command(const std::string& config, const std::string& name, const std::string& alias) {
  return with_store(config, Absent::kSay, [&](stats::ReferenceStore& store) -> Status {
    const auto version = store.rollback(name, alias, who(), SystemClock().now());
    if (!version) return version.error();
    std::cout << name << "@" << alias << " is version " << *version << " again\n";
    return {};
  });
}

int reference_export_command(const std::string& config, const std::string& which, const std::string& file) {
  return with_store(config, Absent::kSay, [&](stats::ReferenceStore& store) -> Status {
    const auto r = store.resolve(which);
    if (!r) return r.error();
    const std::string bytes = stats::export_bytes(*r);
    std::error_code code;
    const auto there = std::filesystem::symlink_status(file, code).type();
    if (there != std::filesystem::file_type::not_found && there != std::filesystem::file_type::regular) {
      std::ofstream out(file, std::ios::binary);  // a link or a pipe, as /dev/stdout is
      if (!(out << bytes).flush()) return Error{ErrorCode::kIo, file + ": cannot be written"};
    } else if (const Status s = replace_file(file, bytes); !s) {
      return s;
    }
    std::cout << label(*r) << " written to " << file << "\n";
    return {};
  });
}

int reference_import_command(const std::string& config, const std::string& file) {
  return with_store(config, Absent::kMake, [&](stats::ReferenceStore& store) -> Status {
    const auto bytes = read_file(file, 1U << 30);
    if (!bytes) return bytes.error();
    const auto r = stats::import_bytes(*bytes);
    if (!r) return r.error().at(file);
    const auto version = store.put(*r);
    if (!version) return version.error();
    std::cout << r->name << "@" << *version << " sha256:" << r->hash << "\n";
    return {};
  });
}

int outbox_command(const std::string& path, const std::string& action, const std::string& id) {
  const auto config = load_config(path, ReadFor::kData);
  if (!config) return fail(config.error());
  const auto outbox = alerts::Outbox::open(config->service.data_dir + "/outbox.db");
  if (!outbox) return fail(outbox.error());
  const Time now = SystemClock().now();
  if (action == "list") {
    const auto rows = (*outbox)->list(1000, now);
    if (!rows) return fail(rows.error());
    for (const alerts::OutboxRow& row : *rows) {
      std::cout << row.message.id << "  " << to_string(row.state) << "  " << row.receiver << "  " << row.message.type << "  attempts "
                << row.message.attempt - 1 << "  " << row.message.group_key << "  " << row.detail << "\n";
    }
    return kExitOk;
  }
  if (id.empty()) return fail({ErrorCode::kInvalidArgument, "which message? see driftd outbox list"});
  const Status done = action == "replay" ? (*outbox)->replay(id, now) : (*outbox)->drop(id, now);
  return done ? kExitOk : fail(done.error());
}

}  // namespace driftd::app
