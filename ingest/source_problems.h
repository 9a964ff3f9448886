// SourceProblems: what is wrong with the parameters of a source, each with the place where it was
// written, so that `driftd check` can say everything at once and a factory can refuse with the first.
// Thread-safety: none.
#pragma once

#include <string>

#include "core/params.h"
#include "core/result.h"
#include "ingest/source.h"

namespace driftd::ingest {

class SourceProblems {
 public:
  // `what` is put in front: "from: mqtt". Both outlive this object.
  SourceProblems(const Params& params, const SourceContext& context, std::string what);

  // `why` is wrong with a parameter; `at` is the item of a list or an entry of a map, when it is one.
  void add(const std::string& param, const std::string& why);
  void add(const Node& at, const std::string& why);
  // A secret's file that cannot be read, when the context asks for it.
  void add_unreadable_secret(const std::string& param);

  bool empty() const { return !first_; }
  // Whether the factory ends here: there is a problem, or the context wants nothing else.
  bool done() const { return first_.has_value() || context_.problems != nullptr; }
  // What the factory returns then: the first problem, or no source at all.
  Result<std::unique_ptr<Source>> result() const;

 private:
  const Params& params_;
  const SourceContext& context_;
  std::string what_;
  std::optional<Error> first_;
};

// Item `i` of a list of texts as it was written; a single text counts as a list of one.
const Node& item_of(const Params& params, std::string_view list, std::size_t i);

}  // namespace driftd::ingest
