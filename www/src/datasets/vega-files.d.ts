declare module 'vega-datasets-files/*?url' {
  const url: string;
  export default url;
}
