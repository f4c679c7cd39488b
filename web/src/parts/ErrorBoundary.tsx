import { Component, type ReactNode } from "react";

interface Props {
  /** A change of it tries again: the address. */
  of: string;
  children: ReactNode;
}

/** Keeps a page that cannot be shown from taking the whole application down. */
export class ErrorBoundary extends Component<Props, { fault: Error | null; of: string }> {
  override state: { fault: Error | null; of: string } = { fault: null, of: this.props.of };

  static getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  static getDerivedStateFromProps(props: Props, state: { of: string }) {
    return props.of === state.of ? null : { fault: null, of: props.of };
  }

  override render() {
    if (!this.state.fault) return this.props.children;
    return (
      <div className="state state-error" role="alert">
        <h2 className="state-title">This page cannot be shown</h2>
        <div className="state-words">
          <p>Its code did not come, or failed: the service may be away, or a newer version may have been installed.</p>
          <p className="state-remedy">Load the page again once <code>defimon serve</code> runs.</p>
          <p className="quiet">{this.state.fault.message}</p>
        </div>
        <button type="button" className="button" onClick={() => location.reload()}>Load again</button>
      </div>
    );
  }
}
