import HatchlingModel

/// Runs of operations of the circuit's layer as kernels name them. A kernel says what it does; were the schedule another, what no longer
/// fits would be done plainly.
package struct CircuitOperations: Sendable {
  package let receive, hear, turn, read, write, forget, listen, gate, field, readOut: [RoundOperation]

  package init(_ variant: Variant) {
    func normalised(_ quantity: Quantity, _ kind: NormaliserKind) -> [RoundOperation] {
      variant.normalises ? [.normalise([quantity], measuring: quantity, by: kind)] : []
    }
    receive = [.fire(.token), .send(.token, over: .embedding, into: .v)] + normalised(.v, .embedding)
    hear = [.send(.v, over: .x, into: .driveX)]
    turn = [.activateX, .rotate]
    read = [.read(.rotated, into: .a)]
    write = [.reweight(presynaptic: .v, postsynaptic: .rotated)]
    forget = [.forget]
    listen =
      [.copy(.a, to: .heard)] + normalised(.heard, .attention)
      + [.send(.heard, over: .y, into: .driveY, listening: .x)]
    gate = [.activateY, .send(.y, over: .encoder, into: .encoded)]
    field =
      normalised(.encoded, .encoding)
      + (variant.accumulatesActivity
        ? [.copy(.encoded, to: .v)] : [.add(.encoded, to: .v)] + normalised(.v, .residual))
    readOut = [.send(.v, over: .readout, into: .logits)]
  }
}
