import HatchlingModel

/// Some operations in a row, each run of them that a kernel covers replaced by that kernel.
///
/// Not generic: what is done at every token is a list of plain calls.
package struct Plan {
  typealias Action = (_ layer: Int, _ activity: inout StepActivity) -> Void

  private let actions: [Action]
  /// How many operations are done after each action.
  private let done: [Int]
  /// What is done, for reports.
  let names: [String]

  /// The longest kernel first, at every place; no kernel reaches across a place of `stops`, where somebody looks.
  package init<Owner: RoundPerformer>(
    _ operations: [RoundOperation], on owner: Owner, kernels: [Kernel<Owner>], stops: Set<Int> = []
  ) {
    var steps: [(action: Action, name: String, done: Int)] = []
    var place = 0
    while place < operations.count {
      let fitting = kernels.filter { kernel in
        let end = place + kernel.operations.count
        return end > place && end <= operations.count && Array(operations[place..<end]) == kernel.operations
          && !stops.contains { $0 > place && $0 < end }
      }
      if let kernel = fitting.max(by: { $0.operations.count < $1.operations.count }) {
        place += kernel.operations.count
        steps.append(({ kernel.body(owner, $0, &$1) }, kernel.name, place))
      } else {
        let operation = operations[place]
        place += 1
        steps.append(
          ({ owner.perform(operation, layer: $0, &$1) }, "plain: \(operation.summary)", place))
      }
    }
    actions = steps.map(\.action)
    names = steps.map(\.name)
    done = steps.map(\.done)
  }

  /// Does everything.
  package func run(layer: Int, _ activity: inout StepActivity) {
    for action in actions { action(layer, &activity) }
  }

  /// Does everything; `look` is called with the number of operations done, after each action.
  func run(layer: Int, _ activity: inout StepActivity, look: (Int) -> Void) {
    for (action, done) in zip(actions, done) {
      action(layer, &activity)
      look(done)
    }
  }
}
