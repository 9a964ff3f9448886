// Makes a notifier of any registered type that talks to a test's HTTP server.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "alerts/alert_config.h"
#include "http_server.h"
#include "samples.h"

namespace driftd::alerts {

inline constexpr const char* kTestSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

inline std::string write_file(const std::string& name, const std::string& text) {
  std::string path = testing::TempDir() + name + "_" + std::to_string(getpid());
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fputs(text.c_str(), file);
  std::fclose(file);
  return path;
}

inline bool has_param(const Descriptor& descriptor, const std::string& name) {
  for (const ParamSpec& spec : descriptor.params) {
    if (spec.name == name) return true;
  }
  return false;
}

using Entries = std::vector<std::pair<std::string, Node>>;

// Builds it as the configuration would, with url or urls set to `url` where it has them.
inline Result<std::unique_ptr<Notifier>> make_notifier(const std::string& type, const std::string& url, const Clock& clock,
                                                       Entries more = {}) {
  const auto* unit = notifiers().find(type);
  if (unit == nullptr) return Error{ErrorCode::kNotFound, type};
  const bool in_file = std::any_of(more.begin(), more.end(), [](const auto& entry) { return entry.first == "url_file"; });
  if (has_param(unit->descriptor, "url") && !in_file) more.emplace_back("url", Node::text(url));
  if (has_param(unit->descriptor, "urls")) more.emplace_back("urls", Node::text(url));
  ErrorList errors;
  const Params params = read_params(Node::map(std::move(more)), unit->descriptor.params, type, errors);
  if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, errors.errors()[0].message};
  NotifierContext context;
  context.name = "test";
  context.external_url = "https://driftd.example";
  context.clock = &clock;
  return unit->make(params, context);
}

inline Message sample_message(const std::string& type = "alert.firing") {
  Message m = outgoing("00000000000000aa", "hook", type).message;
  m.created_at = kDay0 + kHour;
  return m;
}

}  // namespace driftd::alerts
