// What the sources that journal (mqtt, http) share of their configuration.
#pragma once

#include <algorithm>
#include <vector>

#include "core/params.h"
#include "ingest/journal.h"
#include "ingest/source.h"

namespace driftd::ingest {

inline std::vector<ParamSpec> journal_params() {
  return {{.name = "partitions",
           .type = ParamType::kInteger,
           .sentence = "Virtual partitions that sensors are spread over, the most workers the "
                       "stream can use; fixed when its data folder is made",
           .default_text = "16",
           .min = 1,
           .max = 1024}};
}

// A sixteenth of the cap a segment, so that what is released frees room in small steps.
inline JournalOptions journal_options(const Params& params, const SourceContext& context) {
  JournalOptions options;
  options.folder = context.data_dir + "/journal";
  options.cap = context.journal_cap;
  options.segment = std::clamp<std::uint64_t>(context.journal_cap / 16, 4096, 64ULL << 20);
  options.partitions = static_cast<std::uint32_t>(params.integer("partitions"));
  return options;
}

}  // namespace driftd::ingest
