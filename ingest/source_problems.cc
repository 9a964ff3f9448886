#include "ingest/source_problems.h"

#include "core/secret.h"

namespace driftd::ingest {

SourceProblems::SourceProblems(const Params& params, const SourceContext& context, std::string what)
    : params_(params), context_(context), what_(std::move(what)) {}

void SourceProblems::add(const std::string& param, const std::string& why) { add(params_.node(param), why); }

void SourceProblems::add(const Node& at, const std::string& why) {
  const std::string message = what_ + ": " + why;
  if (!first_) first_ = Error{ErrorCode::kInvalidArgument, message};
  if (context_.problems != nullptr) context_.problems->add(at, message);
}

void SourceProblems::add_unreadable_secret(const std::string& param) {
  const std::string& path = params_.text(param);
  if (context_.problems == nullptr || path.empty()) return;
  if (const auto secret = read_secret(path); !secret) add(param, param + ": " + secret.error().message);
}

Result<std::unique_ptr<Source>> SourceProblems::result() const {
  if (first_) return *first_;
  return std::unique_ptr<Source>();
}

const Node& item_of(const Params& params, std::string_view list, std::size_t i) {
  const Node& node = params.node(list);
  return node.is_list() && i < node.items.size() ? node.items[i] : node;
}

}  // namespace driftd::ingest
