import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Which operations of the schedule are done fast. Wherever a probe may look, a kernel ends.
extension DirectExecutor {
  public var kernels: [Kernel<DirectExecutor>] {
    let traffic: Traffic = graph.variant.normalises ? .broadcasts : .nothing
    func normalised(_ values: [Quantity], _ measured: Quantity, _ kind: NormaliserKind) -> [RoundOperation] {
      graph.variant.normalises ? [.normalise(values, measuring: measured, by: kind)] : []
    }
    let cutX: [RoundOperation] =
      graph.remainderX == nil
      ? []
      : [
        .send(.z, over: .toRemainderX, into: .remainderX),
        .send(.remainderX, over: .fromRemainderX, into: .driveX),
      ]
    let cutY: [RoundOperation] =
      graph.remainderY == nil
      ? []
      : [
        .send(.attention, over: .toRemainderY, into: .remainderY),
        .send(.remainderY, over: .fromRemainderY, into: .driveY, listening: .x),
      ]
    let read: [RoundOperation] = [.read(.rotated, into: .attention)]
    let write: [RoundOperation] = [.reweight(presynaptic: .z, postsynaptic: .rotated)]
    let newTrace: [RoundOperation] =
      graph.variant.accumulatesActivity
      ? [.copy(.update, to: .z), .copy(.encoded, to: .v)]
      : [.add(.update, to: .z), .add(.encoded, to: .v)] + normalised([.z, .v], .v, .residual)
    return [
      Kernel(
        "receive",
        [.fire(.z), .send(.z, over: .field, into: .v, counted: traffic)]
          + normalised([.z, .v], .v, .embedding)
      ) { $0.receiveToken(&$2) },
      Kernel("hear", [.send(.z, over: .x, into: .driveX)] + cutX) { $0.hear(&$2) },
      Kernel("activate, rotate", [.activateX, .rotate]) { $0.activateAndRotate(&$2) },
      Kernel("read", read) { $0.exchange($1, reads: true, writes: false, &$2) },
      Kernel("write", write) { $0.exchange($1, reads: false, writes: true, &$2) },
      // Damping is lazy: a neuron's weights are damped when it next fires.
      Kernel("forget", [.forget]) { _, _, _ in },
      Kernel("read, write", read + write) { $0.exchange($1, reads: true, writes: true, &$2) },
      Kernel(
        "listen",
        [
          .send(.attention, over: .field, into: .a, counted: traffic),
          .send(.attention, over: .y, into: .driveY, listening: .x),
        ] + cutY + normalised([.driveY], .a, .attention)
      ) { $0.listen(&$2) },
      Kernel(
        "gate",
        [
          .activateY, .copy(.y, to: .update), .send(.y, over: .field, into: .encoded, counted: traffic),
        ] + normalised([.update, .encoded], .encoded, .encoding) + newTrace
      ) { $0.gate(&$2) },
      Kernel("read out", [.send(.v, over: .readout, into: .logits, counted: .broadcasts)]) {
        $0.readOut(&$2)
      },
    ]
  }
}
