// UnitProblems: what is wrong with the parameters of a source or a notifier, each with the place where
// it was written, so that `driftd check` can say everything at once and a factory can refuse with the
// first. Thread-safety: none.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/params.h"
#include "core/result.h"

namespace driftd {

class UnitProblems {
 public:
  // `list` gets everything; null: only the first is kept. `what` is put in front: "from: mqtt". All outlive this object.
  UnitProblems(const Params& params, ErrorList* list, std::string what) : params_(params), list_(list), what_(std::move(what)) {}

  // `why` is wrong with a parameter; `at` is the item of a list or an entry of a map, when it is one.
  void add(const std::string& param, const std::string& why) { add(params_.node(param), why); }
  void add(const Node& at, const std::string& why);
  // When there is a list: a secret's file that cannot be read; one of authorities, which may be a parameter of a section, that has no
  // certificate; and a certificate and its key, of which one may be missing, that cannot be used together.
  void add_unreadable_secret(const std::string& param);
  void add_unfit_authority(const Params& section, const std::string& param);
  void add_unfit_pair(const Params& section, const std::string& certificate, const std::string& key);

  bool empty() const { return !first_; }
  const std::optional<Error>& first() const { return first_; }
  // Whether the factory ends here: there is a problem, or the context wants nothing else.
  bool done() const { return first_.has_value() || list_ != nullptr; }
  // What the factory returns then: the first problem, or no unit at all.
  template <class Unit>
  Result<std::unique_ptr<Unit>> result() const {
    if (first_) return *first_;
    return std::unique_ptr<Unit>();
  }

 private:
  const Params& params_;
  ErrorList* list_;
  std::string what_;
  std::optional<Error> first_;
};

// Item `i` of a list of texts as it was written; a single text counts as a list of one.
const Node& item_of(const Params& params, std::string_view list, std::size_t i);

}  // namespace driftd
