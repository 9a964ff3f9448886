// The source, the decoder and the checks of a stream, made once with a throw-away context while the configuration
// is read, so that what only their factories can see is an error with a place too. Connects nowhere
// and makes no folder and no file.
#pragma once

#include <memory>
#include <string>

#include "app/engine/plan.h"
#include "core/node.h"
#include "rules/check.h"

namespace driftd::app {

// `node` is the stream's entry in `streams:`. Adds every error at its place.
// A file that is read while driftd runs (`from: file`) need not be there yet; a secret's file must be.
void try_source(const StreamConfig& stream, const Node& node, ErrorList& errors);
void try_decoder(const StreamConfig& stream, const Node& node, ErrorList& errors);
// `node` is the check's entry in `checks:`, `where` is put in front of its errors; null when there are any that keep it from
// being made.
std::unique_ptr<rules::Check> try_check(const StreamConfig& stream, const rules::CheckRegistry::Unit& unit, int field, const Node& node,
                                        const std::string& where, ErrorList& errors);

}  // namespace driftd::app
